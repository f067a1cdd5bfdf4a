import { validate, version } from "uuid";
import { describe, expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import { hostErrors } from "../../../host/errors.ts";
import { type ParsedEvent, largestEvent, parseEvent } from "../../../host/event/event.ts";
import { compileEventSchemas } from "../../../host/event/schemas.ts";
import { seeded } from "../../random.ts";

const schemas = compileEventSchemas({
  "order/placed": { type: "object", required: ["id"], properties: { id: { type: "string" } } },
});
const now = 1_700_000_000_000;

function parse(input: unknown, index?: number): ParsedEvent {
  let state = 0.1;
  const random = (): number => (state = (state * 9_301 + 0.49297) % 1);
  return parseEvent(input, { now, random, schemas, ...(index === undefined ? {} : { index }) });
}

/** "CODE /pointer" of each problem, sorted. */
function pairsOf(input: unknown, index?: number): string[] {
  const parsed = parse(input, index);
  if (parsed.ok) return [];
  expect(parsed.problems.length).toBeGreaterThan(0);
  for (const problem of parsed.problems) {
    expect(Object.keys(hostErrors)).toContain(problem.code);
    expect(problem.message).not.toBe("");
  }
  return parsed.problems
    .map(({ code, pointer }) => `${code.replace("ERR_EVENT_", "")} ${pointer}`)
    .toSorted();
}

function eventOf(input: unknown) {
  const parsed = parse(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.event;
}

/** Arrays or objects within each other. */
function nested(levels: number, open: string, close: string): Json {
  return JSON.parse(open.repeat(levels) + (open === "[" ? "" : "1") + close.repeat(levels)) as Json;
}

describe("an event", () => {
  test("of a name alone gets an id, a time and empty data", () => {
    const event = eventOf({ name: "user/signed.up" });
    expect(event).toEqual({ id: expect.any(String) as string, name: "user/signed.up", data: {}, ts: now });
    expect(validate(event.id) && version(event.id)).toBe(7);
    expect(Number.parseInt(event.id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
  });

  test("keeps all that its sender says", () => {
    const input = {
      name: "a/b",
      data: {
        list: [1, "two", null, true, { three: 3.5 }],
        "": "empty key",
        constructor: 1,
        text: "Größe 😀\u0000",
      },
      user: { id: "u1", created_at: "2021-01-01" },
      id: "an id of my own",
      ts: 0,
      v: "2022-01-01.1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    expect(eventOf(input)).toEqual(input);
    const attributes = { subject: "s", sequence: 3, sampled: true };
    expect(eventOf({ name: "a/b", attributes })).toMatchObject({ attributes });
    expect(eventOf({ name: "a/b", user: "u1" })).toMatchObject({ user: "u1" });
  });

  test("with null where a value may be left out is as if it were left out", () => {
    const event = eventOf({
      name: "a/b",
      data: null,
      user: null,
      id: null,
      ts: null,
      v: null,
      traceparent: null,
    });
    expect(event).toEqual({ id: expect.any(String) as string, name: "a/b", data: {}, ts: now });
  });

  test("has the same id for the same time and randomness, and another for other randomness", () => {
    const options = { now, schemas };
    const idOf = (random: () => number): string => {
      const parsed = parseEvent({ name: "a" }, { ...options, random });
      return parsed.ok ? parsed.event.id : "";
    };
    expect(idOf(() => 0.5)).toBe(idOf(() => 0.5));
    expect(idOf(() => 0.5)).not.toBe(idOf(() => 0.25));
    const ids = new Set(Array.from({ length: 10_000 }, () => idOf(Math.random)));
    expect(ids.size).toBe(10_000);
  });

  test.each(["a", "user/signed.up", "größe/geändert", "注文/作成", "a:b@c#1_2-3", "😀", "x".repeat(256)])(
    "may be called %s",
    (name) => {
      expect(eventOf({ name }).name).toBe(name);
    },
  );

  test("may be as large as 256 KiB of UTF-8, to the byte", () => {
    const rest = Buffer.byteLength(JSON.stringify({ id: "x", name: "a", data: { t: "" }, ts: now }));
    const fits = {
      id: "x",
      name: "a",
      data: {
        t: "ö".repeat((largestEvent - rest - 1) / 2) + "a".repeat((largestEvent - rest) % 2 === 0 ? 2 : 1),
      },
    };
    const bytes = Buffer.byteLength(JSON.stringify(eventOf(fits)));
    expect(bytes).toBe(largestEvent);
    const over = { ...fits, data: { t: `${fits.data.t}a` } };
    expect(parse(over)).toEqual({
      ok: false,
      problems: [
        {
          code: "ERR_EVENT_TOO_LARGE",
          message: `the event has ${largestEvent + 1} bytes as JSON; ${largestEvent} (256 KiB) are allowed`,
          pointer: "",
          expected: `at most ${largestEvent} bytes`,
        },
      ],
    });
  });

  test.each([
    ["control characters, six bytes each", { t: "\u0001".repeat(50_000) }],
    ["keys", Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`key${index}`, 0]))],
    [
      "long keys",
      Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`${"k".repeat(150)}${index}`, null])),
    ],
    ["small numbers", { l: Array.from({ length: 140_000 }, () => 1) }],
    ["long numbers", { l: Array.from({ length: 14_000 }, () => -1.234_567_890_123_456e-100) }],
    ["empty lists", { l: Array.from({ length: 100_000 }, () => []) }],
    ["nulls", { l: Array.from({ length: 60_000 }, () => null) }],
  ])("is measured by its bytes when it is made of %s", (_name, data) => {
    expect(Buffer.byteLength(JSON.stringify(data))).toBeGreaterThan(largestEvent);
    expect(pairsOf({ name: "a", data })).toEqual(["TOO_LARGE "]);
  });

  test("may nest 128 levels, and not one more", () => {
    expect(pairsOf({ name: "a", data: nested(128, '{"a":', "}") })).toEqual([]);
    expect(pairsOf({ name: "a", data: nested(129, '{"a":', "}") })).toEqual([
      `TOO_DEEP /data${"/a".repeat(128)}`,
    ]);
    expect(pairsOf({ name: "a", data: { l: nested(127, "[", "]") } })).toEqual([]);
    expect(pairsOf({ name: "a", data: { l: nested(128, "[", "]") } })).toEqual([
      `TOO_DEEP /data/l${"/0".repeat(127)}`,
    ]);
  });

  test("that nests 100,000 levels is refused, not crashed at", () => {
    expect(pairsOf({ name: "a", data: nested(100_000, '{"a":', "}") })[0]).toMatch(/^TOO_DEEP/);
    expect(pairsOf({ name: "a", user: { l: nested(100_000, "[", "]") } })[0]).toMatch(/^TOO_DEEP/);
  });
});

describe("an input that is no event: every problem at once", () => {
  test.each<[string, unknown, string[]]>([
    ["null", null, ["INVALID "]],
    ["undefined", undefined, ["INVALID "]],
    ["an array", [], ["INVALID "]],
    ["a string", "user/signed.up", ["INVALID "]],
    ["a number", 3, ["INVALID "]],
    ["nothing", {}, ["INVALID "]],
    ["no name", { data: {} }, ["INVALID "]],
    ["a name that is no string", { name: 3 }, ["INVALID /name"]],
    ["an empty name", { name: "" }, ["INVALID /name"]],
    ["a long name", { name: "x".repeat(257) }, ["INVALID /name"]],
    ["a very long name", { name: "x".repeat(1_000_000) }, ["INVALID /name"]],
    ["a space in the name", { name: "user signed up" }, ["INVALID /name"]],
    ["a no-break space", { name: "user\u00A0x" }, ["INVALID /name"]],
    ["a line break", { name: "a\nb" }, ["INVALID /name"]],
    ["a zero", { name: "a\0b" }, ["INVALID /name"]],
    ["a wildcard", { name: "user/*" }, ["INVALID /name"]],
    ["another wildcard", { name: "user.>" }, ["INVALID /name"]],
    ["a mark that turns text round", { name: "a\u202Eb" }, ["INVALID /name"]],
    ["half a surrogate pair", { name: "a\uD800" }, ["INVALID /name"]],
    [
      "wrong types everywhere",
      { name: 1, data: "x", user: 3, id: 7, ts: "now", v: 1, traceparent: true },
      [
        "INVALID /data",
        "INVALID /id",
        "INVALID /name",
        "INVALID /traceparent",
        "INVALID /ts",
        "INVALID /user",
        "INVALID /v",
      ],
    ],
    ["data that is an array", { name: "a", data: [1] }, ["INVALID /data"]],
    ["a user that is an array", { name: "a", user: [] }, ["INVALID /user"]],
    ["attributes that are none", { name: "a", attributes: "x" }, ["INVALID /attributes"]],
    [
      "attributes with parts",
      { name: "a", attributes: { a: {}, b: [], c: null, d: 1 } },
      ["INVALID /attributes/a", "INVALID /attributes/b", "INVALID /attributes/c"],
    ],
    ["an empty id", { name: "a", id: "" }, ["INVALID /id"]],
    ["a long id", { name: "a", id: "x".repeat(257) }, ["INVALID /id"]],
    ["an id with a line break", { name: "a", id: "x\r\ny" }, ["INVALID /id"]],
    ["a time that is not whole", { name: "a", ts: 1.5 }, ["INVALID /ts"]],
    ["a time before 1970", { name: "a", ts: -1 }, ["INVALID /ts"]],
    ["a time that no Date holds", { name: "a", ts: 8_640_000_000_000_001 }, ["INVALID /ts"]],
    ["no time at all", { name: "a", ts: Number.NaN }, ["INVALID /ts"]],
    ["unknown fields", { name: "a", payload: {}, "a/b~c": 1 }, ["INVALID /a~1b~0c", "INVALID /payload"]],
    ["__proto__ at the top", JSON.parse('{"name":"a","__proto__":{"x":1}}'), ["FORBIDDEN_KEY /__proto__"]],
    [
      "__proto__ further in",
      JSON.parse('{"name":"a","data":{"__proto__":1,"l":[{"x":{"__proto__":2}}]},"user":{"__proto__":3}}'),
      [
        "FORBIDDEN_KEY /data/__proto__",
        "FORBIDDEN_KEY /data/l/0/x/__proto__",
        "FORBIDDEN_KEY /user/__proto__",
      ],
    ],
    [
      "text that UTF-8 can't carry",
      JSON.parse(String.raw`{"name":"a","data":{"l":["\ud800"],"\udc00":1},"user":"\udfff"}`),
      ["INVALID /data/l/0", "INVALID /data/\uDC00", "INVALID /user"],
    ],
    ["a number that no double holds", JSON.parse('{"name":"a","data":{"n":1e999}}'), ["INVALID /data/n"]],
    [
      "what only JavaScript has",
      {
        name: "a",
        data: {
          f: () => 1,
          u: undefined,
          b: 1n,
          s: Symbol("x"),
          n: Number.NaN,
          d: new Date(0),
          m: new Map(),
        },
      },
      ["b", "d", "f", "m", "n", "s", "u"].map((key) => `INVALID /data/${key}`),
    ],
    ["data that does not fit its schema", { name: "order/placed", data: { id: 7 } }, ["SCHEMA /data/id"]],
    ["no data, though the schema wants some", { name: "order/placed" }, ["SCHEMA /data"]],
  ])("%s", (_name, input, pairs) => {
    expect(pairsOf(input)).toEqual(pairs);
    expect(pairsOf(input, 12)).toEqual(pairs.map((pair) => pair.replace(" ", " /12")));
  });

  test("an object that holds itself", () => {
    const data: Record<string, unknown> = {};
    data["self"] = data;
    expect(pairsOf({ name: "a", data })).toEqual([`TOO_DEEP /data${"/self".repeat(128)}`]);
  });

  test("an object that holds the same object again and again is not walked for ever", () => {
    let data: unknown = "x";
    for (let level = 0; level < 100; level += 1) data = [data, data];
    expect(pairsOf({ name: "a", data: { data } })).toContain("TOO_LARGE /data");
  });

  test("thousands of bad keys give a bounded list", () => {
    const text = `{"name":"a","data":{"l":[${'{"__proto__":1},'.repeat(5_000)}{}]}}`;
    expect(pairsOf(JSON.parse(text))).toHaveLength(100);
  });

  test("a misspelt field is told with the one that is close", () => {
    const parsed = parse({ nmae: "a", dat: {}, usr: {}, timestamp: 1 });
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer, suggestion }) => [pointer, suggestion])).toEqual([
      ["/nmae", "name"],
      ["/dat", "data"],
      ["/usr", "user"],
      ["/timestamp", undefined],
      ["", undefined],
    ]);
  });

  test("keys that are inherited are not the event's", () => {
    const input = Object.create({ name: "inherited" }) as object;
    expect(pairsOf(input)).toContain("INVALID ");
  });
});

describe("a trace context", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = "b7ad6b7169203331";

  test.each([
    [`00-${trace}-${parent}-01`, true],
    [`00-${trace}-${parent}-00`, true],
    [`01-${trace}-${parent}-01-more`, true],
    [`00-${trace}-${parent}-01-more`, false],
    [`ff-${trace}-${parent}-01`, false],
    [`00-${"0".repeat(32)}-${parent}-01`, false],
    [`00-${trace}-${"0".repeat(16)}-01`, false],
    [`00-${trace.toUpperCase()}-${parent}-01`, false],
    [`00-${trace}-${parent}`, false],
    [`00-${trace}-${parent}-1`, false],
    [`00-${trace}-${parent}-01 `, false],
    [`01-${trace}-${parent}-01-${"x".repeat(1_000)}`, false],
    [`01-${trace}-${parent}-01-a\nb`, false],
    ["", false],
  ])("%s: %s", (traceparent, good) => {
    expect(pairsOf({ name: "a", traceparent })).toEqual(good ? [] : ["INVALID /traceparent"]);
  });
});

test("whatever the bytes of a JSON text become, parsing gives an event or problems", () => {
  const sound = Buffer.from(
    JSON.stringify({
      name: "order/placed",
      data: { id: "o1", l: [1, { a: "ö" }] },
      user: { id: "u" },
      id: "e1",
      ts: 1,
      v: "1",
    }),
  );
  const random = seeded(3);
  let parsed = 0;
  let refused = 0;
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = Buffer.from(sound);
    for (let change = 0; change <= random(2); change += 1) bytes[random(bytes.length)] = 32 + random(96);
    let input: unknown;
    try {
      input = JSON.parse(bytes.toString());
    } catch {
      continue;
    }
    const result = parse(input);
    parsed += 1;
    if (result.ok) expect(JSON.parse(JSON.stringify(result.event))).toEqual(result.event);
    else refused += 1;
  }
  expect(parsed).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(100);
});
