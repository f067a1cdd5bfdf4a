import { describe, expect, test } from "vitest";
import {
  cloudEventProblem,
  isJsonType,
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  type ParsedCloudEvent,
} from "../../../host/event/cloudevents.ts";

const valid = { specversion: "1.0", id: "42", source: "/shop", type: "com.example.order" };
const input = (parsed: ParsedCloudEvent) => (parsed.ok ? parsed.input : parsed.problems);
const pointers = (parsed: ParsedCloudEvent) =>
  parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer);

/** The host's id for an event with these. */
function id(source: string, ceId: string): string {
  return (input(parseStructuredCloudEvent({ ...valid, source, id: ceId })) as { id: string }).id;
}

describe("a CloudEvent in JSON", () => {
  test("becomes an event of its type, time and data", () => {
    const parsed = parseStructuredCloudEvent({
      ...valid,
      time: "2026-01-31T12:00:00.250+01:00",
      data: { total: 3 },
      datacontenttype: "application/json",
      subject: "order 42",
      dataschema: "https://example.com/order.json",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      sequence: 7,
      urgent: true,
    });
    expect(input(parsed)).toEqual({
      id: "/shop|42",
      name: "com.example.order",
      ts: 1_769_857_200_250,
      data: { total: 3 },
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      attributes: {
        id: "42",
        source: "/shop",
        subject: "order 42",
        datacontenttype: "application/json",
        dataschema: "https://example.com/order.json",
        sequence: 7,
        urgent: true,
      },
    });
  });

  test("with the required attributes alone has no data and no time", () => {
    expect(input(parseStructuredCloudEvent(valid))).toEqual({
      id: "/shop|42",
      name: "com.example.order",
      attributes: { id: "42", source: "/shop" },
    });
    expect(input(parseStructuredCloudEvent({ ...valid, data: null, time: null, subject: null }))).toEqual(
      input(parseStructuredCloudEvent(valid)),
    );
  });

  test.each([
    [{ user: "u1" }, "u1", {}],
    [{ userid: "u1" }, "u1", {}],
    [{ user: "u1", userid: "u2" }, "u1", { userid: "u2" }],
  ])("takes its user from %j", (extension, user, left) => {
    expect(input(parseStructuredCloudEvent({ ...valid, ...extension }))).toMatchObject({ user });
    const { attributes } = input(parseStructuredCloudEvent({ ...valid, ...extension })) as {
      attributes: object;
    };
    expect(attributes).toEqual({ id: "42", source: "/shop", ...left });
  });

  test("is the same event only if both source and id are the same", () => {
    const pairs = [
      ["a", "b|c"],
      ["a|b", "c"],
      ["a\\|b", "c"],
      ["a\\", "b|c"],
      ["a", "b\\|c"],
      ["x".repeat(300), "1"],
      ["x".repeat(299), "x|1"],
    ] as const;
    expect(new Set(pairs.map(([source, ceId]) => id(source, ceId))).size).toBe(pairs.length);
    for (const [source, ceId] of pairs) {
      expect(id(source, ceId)).toBe(id(source, ceId));
      expect(id(source, ceId).length).toBeLessThanOrEqual(256);
    }
  });

  test("may carry its JSON as base64", () => {
    const encoded = Buffer.from('{"name":"Zoë"}').toString("base64");
    expect(input(parseStructuredCloudEvent({ ...valid, data_base64: encoded }))).toMatchObject({
      data: { name: "Zoë" },
    });
  });

  test.each([
    ["nothing", {}, ["/id", "/source", "/specversion", "/type"]],
    ["another version", { ...valid, specversion: "0.3" }, ["/specversion"]],
    ["an empty id and no type", { ...valid, id: "", type: undefined }, ["/id", "/type"]],
    ["a number as id", { ...valid, id: 42 }, ["/id"]],
    ["a time that is none", { ...valid, time: "yesterday" }, ["/time"]],
    ["a time without zone", { ...valid, time: "2026-01-31T12:00:00" }, ["/time"]],
    ["a month 13", { ...valid, time: "2026-13-01T12:00:00Z" }, ["/time"]],
    ["an attribute with capitals", { ...valid, userId: "u" }, ["/userId"]],
    ["an object as attribute", { ...valid, user: { id: "u" } }, ["/user"]],
    ["a fraction as attribute", { ...valid, rate: 0.5 }, ["/rate"]],
    ["a line break in an attribute", { ...valid, subject: "a\nb" }, ["/subject"]],
    ["XML", { ...valid, datacontenttype: "application/xml", data: "<a/>" }, ["/datacontenttype"]],
    ["base64 that is no JSON", { ...valid, data_base64: "AAAA" }, ["/data_base64"]],
    ["no base64", { ...valid, data_base64: "{}" }, ["/data_base64"]],
    ["data twice", { ...valid, data: {}, data_base64: "e30=" }, ["/data_base64"]],
    ["base64 and a bad time", { ...valid, data_base64: 1, time: 1 }, ["/data_base64", "/time"]],
  ])("with %s is refused, every problem at its place", (_what, cloudEvent, expected) => {
    for (const base of ["", "/3"]) {
      const found = pointers(parseStructuredCloudEvent(cloudEvent, base));
      expect(found).toHaveLength(expected.length);
      expect(found).toEqual(expect.arrayContaining(expected.map((pointer) => base + pointer)));
    }
  });

  test.each([null, [], "text", 1])("is not %j", (value) => {
    expect(pointers(parseStructuredCloudEvent(value, "/0"))).toEqual(["/0"]);
  });

  test("with __proto__ as attribute is refused", () => {
    const parsed: unknown = JSON.parse(`${JSON.stringify(valid).slice(0, -1)},"__proto__":{"admin":true}}`);
    expect(pointers(parseStructuredCloudEvent(parsed))).toEqual(["/__proto__"]);
  });

  test("names the attribute that a misspelt one may be", () => {
    const parsed = parseStructuredCloudEvent({ ...valid, traceParent: "x" });
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      expect.objectContaining({ suggestion: "traceparent" }),
    ]);
  });
});

describe("a CloudEvent in headers", () => {
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "42",
    "ce-source": "/shop",
    "ce-type": "com.example.order",
    "content-type": "application/json",
  };

  test("becomes an event, the body its data", () => {
    expect(input(parseBinaryCloudEvent({ ...headers, "x-other": "1" }, { value: { total: 3 } }))).toEqual({
      id: "/shop|42",
      name: "com.example.order",
      data: { total: 3 },
      attributes: { id: "42", source: "/shop", datacontenttype: "application/json" },
    });
  });

  test("without a body has no data", () => {
    expect(input(parseBinaryCloudEvent(headers, undefined))).not.toHaveProperty("data");
  });

  test.each([
    ["Euro%20%E2%82%AC", "Euro €"],
    ['"in \\"quotes\\""', 'in "quotes"'],
    ["100%", "100%"],
    ["plain", "plain"],
  ])("has the value %j decoded", (value, decoded) => {
    expect(input(parseBinaryCloudEvent({ ...headers, "ce-subject": value }, undefined))).toMatchObject({
      attributes: { subject: decoded },
    });
  });

  test("names headers in its problems, which have no pointer", () => {
    const { "ce-id": _, ...rest } = headers;
    const parsed = parseBinaryCloudEvent(
      { ...rest, "ce-time": "x", "content-type": "text/xml" },
      { value: "" },
    );
    const problems = parsed.ok ? [] : parsed.problems;
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("the header ce-id"),
      expect.stringContaining("the header ce-time"),
      expect.stringContaining("the header content-type"),
    ]);
    expect(problems.some((problem) => "pointer" in problem)).toBe(false);
  });
});

const problem = (pointer: string) => ({ code: "ERR_EVENT_INVALID", message: "wrong", pointer });

describe("a problem of the event that was made of a CloudEvent", () => {
  test.each([
    ["/2/name", "/2/type"],
    ["/2/ts", "/2/time"],
    ["/2/id", "/2/id"],
    ["/2/user", "/2/user"],
    ["/2/data/a/b", "/2/data/a/b"],
    ["/2/attributes/subject", "/2/subject"],
    ["/2", "/2"],
  ])("at %s is one at %s", (from, to) => {
    expect(cloudEventProblem(problem(from), "/2", "json")).toEqual(problem(to));
  });

  test.each([
    ["/data/a", { pointer: "/a", message: "wrong" }],
    ["/data", { pointer: "", message: "wrong" }],
    ["/name", { message: "the header ce-type: wrong" }],
  ])("at %s, in binary mode, is told as %j", (from, expected) => {
    expect(cloudEventProblem(problem(from), "", "binary")).toEqual({
      code: "ERR_EVENT_INVALID",
      ...expected,
    });
  });
});

test.each([
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  ["application/vnd.acme+json", true],
  ["application/jsonp", false],
  ["text/plain", false],
  ["", false],
])("the media type %j is JSON: %s", (type, expected) => {
  expect(isJsonType(type)).toBe(expected);
});
