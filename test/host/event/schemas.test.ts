import { describe, expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import { MillraceError, type Problem } from "../../../host/errors.ts";
import { compileEventSchemas } from "../../../host/event/schemas.ts";

function faultsOf(schemas: Record<string, Json>, files?: Record<string, string>): readonly Problem[] {
  try {
    compileEventSchemas(schemas, files);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "ERR_SCHEMA_INVALID") return error.problems;
    throw error;
  }
  return [];
}

const order = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "An order",
  type: "object",
  required: ["id", "lines"],
  additionalProperties: false,
  properties: {
    id: { type: "string", format: "uuid" },
    email: { type: "string", format: "email", example: "a@b.cd" },
    lines: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["sku"],
        properties: { sku: { type: "string" }, count: { type: "integer", minimum: 1 } },
        unevaluatedProperties: false,
      },
    },
    channel: { enum: ["web", "shop"] },
    "a/b~c": { const: 1 },
    "x-of-ours": { type: "string" },
  },
  "x-owner": "sales",
} as const satisfies Json;

describe("an event's data", () => {
  const schemas = compileEventSchemas({ "order/placed": order, "any/thing": true, "no/thing": false });
  const id = "0190a9b8-2f3d-7c4e-8d5f-0123456789ab";

  test("fits its schema, or has none", () => {
    expect(schemas.names).toEqual(["order/placed", "any/thing", "no/thing"]);
    expect(
      schemas.check("order/placed", { id, lines: [{ sku: "a", count: 2 }], email: "ann@example.com" }),
    ).toEqual([]);
    expect(schemas.check("any/thing", { x: 1 })).toEqual([]);
    expect(schemas.check("unknown/event", { x: 1 })).toEqual([]);
    expect(schemas.check("no/thing", {})).toHaveLength(1);
  });

  test("that does not fit is told of everywhere, with a pointer into the event", () => {
    const data = {
      id: 7,
      emial: "x",
      email: "not an address",
      lines: [{ sku: "a" }, { count: 0, skku: "b" }],
      channel: "wbe",
      "a/b~c": 2,
    };
    const found = schemas.check("order/placed", data, "/3");
    expect(found.every(({ code }) => code === "ERR_EVENT_SCHEMA")).toBe(true);
    const pairs = found.map(({ pointer, message }) => `${pointer}: ${message}`).toSorted();
    expect(pairs).toEqual([
      "/3/data/a~1b~0c: it must be 1",
      '/3/data/channel: it must be one of "web", "shop"',
      '/3/data/email: it must match format "email"',
      '/3/data/emial: there is no property "emial" here',
      "/3/data/id: it must be a string, and is a number",
      "/3/data/lines/1/count: it must be >= 1",
      '/3/data/lines/1/skku: there is no property "skku" here',
    ]);
    const suggestions = found.flatMap(({ suggestion }) => suggestion ?? []);
    expect(suggestions.toSorted()).toEqual(["email", "sku", "web"]);
    expect(found.find(({ pointer }) => pointer === "/3/data/id")?.expected).toBe("string");
  });

  test("with thousands of mistakes gives a bounded list", () => {
    const lines = Array.from({ length: 10_000 }, () => ({}));
    expect(schemas.check("order/placed", { id, lines })).toHaveLength(100);
  });

  test("is not changed by the check", () => {
    const withDefault = compileEventSchemas({ e: { properties: { n: { type: "number", default: 1 } } } });
    const data = { m: "1" };
    expect(withDefault.check("e", data)).toEqual([]);
    expect(data).toEqual({ m: "1" });
  });

  test("may be described by schemas that refer to each other, in any order", () => {
    const both = compileEventSchemas({
      "a/b": { $ref: "urn:test:address" },
      "c/d": { $id: "urn:test:address", type: "object", required: ["street"] },
    });
    expect(both.check("a/b", {})).toHaveLength(1);
    expect(both.check("c/d", {})).toHaveLength(1);
  });

  test("against a schema that refers to itself without end is refused, not crashed at", () => {
    const endless = compileEventSchemas({ e: { $ref: "#" } });
    expect(endless.check("e", {})).toMatchObject([{ code: "ERR_EVENT_SCHEMA", pointer: "/data" }]);
  });
});

describe("a schema that can't be used", () => {
  test.each<[string, Json, RegExp, string?]>([
    ["a misspelt keyword", { type: "object", requird: ["a"] }, /no keyword "requird"/, "required"],
    [
      "a misspelt keyword further in",
      { properties: { a: { minLenght: 1 } } },
      /no keyword "minLenght"/,
      "minLength",
    ],
    ["a misspelt type", { type: "strin" }, /must be one of/, "string"],
    ["a wrong type", { type: 7 }, /./],
    ["a misspelt format", { format: "emial" }, /no format "emial"/, "email"],
    ["a remote reference", { $ref: "https://example.com/schema.json" }, /leads nowhere; nothing is fetched/],
    ["a local reference to nothing", { $ref: "#/$defs/nope" }, /leads nowhere/],
    ["another draft", { $schema: "http://json-schema.org/draft-07/schema#" }, /leave it out, or use/],
    ["a bad pattern", { pattern: "(" }, /./],
    ["asynchronous checks", { $async: true }, /`\$async`/],
    ["no schema at all", "string", /must be/],
    ["null", null, /./],
    ["an array", [], /must be/],
  ])("%s", (_name, schema, message, suggestion) => {
    const faults = faultsOf({ "a/b": schema }, { "a/b": "events/a-b.json" });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.map((fault) => fault.message).join("\n")).toMatch(message);
    expect(faults[0]).toMatchObject({ code: "ERR_SCHEMA_INVALID", file: "events/a-b.json" });
    expect(faults[0]?.message).toContain("the schema of a/b can't be used");
    if (suggestion !== undefined)
      expect(faults.flatMap((fault) => fault.suggestion ?? [])).toContain(suggestion);
  });

  test("all of them are told at once, good ones aside", () => {
    const faults = faultsOf({
      a: { type: "nope" },
      b: { type: "object" },
      c: { $ref: "urn:gone" },
      "d e": {},
    });
    expect(new Set(faults.map(({ message }) => /^the schema of (.*?) can't/.exec(message)?.[1]))).toEqual(
      new Set(["a", "c", "d e"]),
    );
  });

  test("is told once for each place", () => {
    expect(
      faultsOf({ a: [], b: { type: "strin", properties: { c: { minLength: -1 } } } }).map(
        ({ pointer }) => pointer,
      ),
    ).toEqual(["", "/properties/c/minLength", "/type"]);
  });

  test("two of the same `$id`", () => {
    const faults = faultsOf({
      a: { $id: "urn:test:x", type: "object" },
      b: { $id: "urn:test:x", type: "array" },
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toMatch(/schema of b .*urn:test:x/);
  });

  test("one that nests 10,000 levels deep", () => {
    let schema: Json = {};
    for (let level = 0; level < 10_000; level += 1) schema = { items: schema };
    expect(faultsOf({ a: schema })).toMatchObject([{ code: "ERR_SCHEMA_INVALID" }]);
  });
});
