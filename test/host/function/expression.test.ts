import { isCelList, isCelMap } from "@bufbuild/cel";
import { describe, expect, test } from "vitest";
import { createBudget } from "../../../host/function/budget.ts";
import {
  type Evaluation,
  type Scope,
  compileExpression,
  edgeNames,
  triggerNames,
} from "../../../host/function/expression.ts";
import { viewJson } from "../../../host/function/json-view.ts";
import { seeded } from "../../random.ts";

const data = {
  amount: 150,
  half: 0.5,
  n: 1,
  big: 9_007_199_254_740_991,
  negative: -3,
  text: "Größe 😀",
  email: "ann@example.com",
  flag: true,
  nothing: null,
  list: [1, 2, 3],
  empty: [],
  mixed: [1, "two", null, { deep: [true] }],
  items: [
    { sku: "a", price: 10 },
    { sku: "b", price: 20.5 },
  ],
  map: { key: "value", "with-dash": 1, constructor: "mine", size: 7 },
  at: "2024-02-29T12:00:00Z",
  spell: "90s",
};
const user = { id: "u1", created_at: "2021-05-04", roles: ["admin"] };
const event = { id: "e1", name: "user/signed.up", data, user, ts: 1_700_000_000_000 };
const scope: Scope = {
  event,
  data,
  user,
  ts: event.ts,
  name: event.name,
  steps: { greet: { ok: true }, "step-1": { n: 5 } },
  output: { total: 30 },
};

function evaluate(source: string, within: Scope = scope): Evaluation {
  const compiled = compileExpression(source);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.expression.evaluate(within);
}

/** A scope with this data alone, as an event without a user gives it. */
function scopeOf(given: unknown): Scope {
  return { event: { data: given }, data: given, user: undefined, ts: 1, name: "x" };
}

describe("an expression over an event", () => {
  test.each([
    // As announced.
    "user.created_at > '2020-01-01'",
    "event.user.created_at > '2020-01-01'",
    // Numbers: JSON's are doubles, literals often ints.
    "data.amount > 100",
    "data.amount > 100.5",
    "data.amount >= 150 && data.amount <= 150",
    "data.n == 1",
    "data.n == 1.0",
    "data.n != 2",
    "1 == data.n",
    "data.half < 1",
    "data.negative < 0",
    "data.big == 9007199254740991",
    "ts > 1600000000000",
    "data.n + 1 == 2",
    "1 + data.n == 2",
    "data.amount - 50 == 100",
    "data.amount * 2 == 300",
    "data.amount / 4 == 37.5",
    "data.amount % 2 == 0",
    "7 % data.n == 0",
    "data.amount + data.half == 150.5",
    "int(data.amount) % 7 == 3",
    "data.n in [1, 2]",
    "size(data.list) == 3",
    "size(data.list) > data.n",
    // Lists and maps.
    "data.list[0] == 1",
    "data.list[data.n] == 2",
    "2 in data.list",
    "!(9 in data.list)",
    "'key' in data.map",
    "!('absent' in data.map)",
    "data.map['with-dash'] == 1",
    "data.map.constructor == 'mine'",
    "data.map.size == 7",
    "data.map.size() == 4",
    "data.list == [1, 2, 3]",
    "data.list + [4] == [1, 2, 3, 4]",
    "data.empty == []",
    "data.items[1].sku == 'b'",
    "data.mixed[3].deep[0]",
    "data.mixed[2] == null",
    "data.items.all(i, i.price >= 10)",
    "data.items.exists(i, i.sku == 'b')",
    "data.items.exists_one(i, i.price > 20)",
    "data.items.filter(i, i.price > 15).size() == 1",
    "data.items.map(i, i.price * 2) == [20.0, 41.0]",
    "data.list.map(x, x > 1, x * x) == [4, 9]",
    "data.map.exists(k, k == 'key')",
    "data.list.all(x, data.list.exists(y, x == y))",
    "data.items.map(i, i.sku).exists(s, s == 'a') && data.items.map(i, i.price).exists(p, p > 20)",
    // Presence.
    "has(data.amount)",
    "has(data.nothing)",
    "!has(data.absent)",
    "!has(user.absent)",
    "data.nothing == null",
    "has(data.absent) ? data.absent > 3 : true",
    "data.flag",
    "data.absent > 3 || true",
    "!(data.absent > 3 && false)",
    // Text.
    "data.email.endsWith('@example.com')",
    "data.email.startsWith('ann')",
    "data.email.contains('@')",
    "data.email.split('@')[1] == 'example.com'",
    "data.email.upperAscii() == 'ANN@EXAMPLE.COM'",
    "' x '.trim() == 'x'",
    "data.email.substring(0, 3) == 'ann'",
    "data.email.charAt(3) == '@'",
    "data.email.matches('^[a-z]+@[a-z.]+$')",
    "size(data.text) == 7",
    "data.text == 'Größe 😀'",
    "name == 'user/signed.up'",
    "'b' > 'a' && 'B' < 'a'",
    // Time.
    "timestamp(data.at) > timestamp('2024-01-01T00:00:00Z')",
    "timestamp(data.at).getMonth() == 1",
    "timestamp(data.at) + duration('24h') == timestamp('2024-03-01T12:00:00Z')",
    "duration(data.spell) < duration('2m')",
    // Types and conversions.
    "type(data.amount) == double",
    "type(data.list) == list",
    "string(data.n) == '1'",
    "double('1.5') == 1.5",
    "dyn(data.n) == 1",
    "type(timestamp(data.at)) == google.protobuf.Timestamp",
    // Steps before an edge.
    "output.total == 30",
    "steps.greet.ok",
    'steps["step-1"].n == 5',
    // A loop's name hides the scope's.
    "data.list.exists(ts, ts == 3)",
  ])("%s holds", (source) => {
    expect(evaluate(source)).toEqual({ kind: "value", value: true });
  });

  test.each([
    "user.created_at > '2022-01-01'",
    "data.n == '1'",
    "data.big == 9007199254740992",
    "data.amount > 9223372036854775807",
    "data.list == [3, 2, 1]",
    "data.list == data.map",
    "has(data.list) && data.list.size() == 4",
  ])("%s does not hold", (source) => {
    expect(evaluate(source)).toEqual({ kind: "value", value: false });
  });

  test.each([
    ["data.absent > 3", "field not found: absent"],
    ["data.absent.deeper == 1", "field not found: absent"],
    ["data.list[7] == 1", /^index 7 out of bounds/],
    ["data.map['absent'] == 1", "field not found: absent"],
    ["data.nothing.field == 1", "field not found: field"],
    ["data.email.part == 1", "field not found: part"],
    ["data.absent > 3 && data.flag", "field not found: absent"],
    ["data.absent > 3 || data.missing > 3", "field not found: absent"],
    ["data.items.exists(i, i.absent == 1)", "field not found: absent"],
    ["data.toString == 1", "field not found: toString"],
    ["data.__proto__ == 1", "field not found: __proto__"],
  ])("%s is false for want of a field", (source, message) => {
    expect(evaluate(source)).toEqual({
      kind: "missing",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("an event without a user makes an expression about the user false, not an error", () => {
    expect(evaluate("user.id == 'u1'", scopeOf({}))).toEqual({
      kind: "missing",
      message: "`user` is not there",
    });
    expect(evaluate("has(user.id)", scopeOf({}))).toEqual({ kind: "value", value: false });
    expect(evaluate("steps.greet.ok", scopeOf({}))).toEqual({
      kind: "missing",
      message: "`steps` is not there",
    });
  });

  test.each([
    ["data.email > 3", "found no matching overload for '_>_' applied to '(string, int)'"],
    ["data.nothing > 3", "found no matching overload for '_>_' applied to '(null_type, int)'"],
    ["data.email + 1 == 'x'", /no matching overload/],
    ["!data.amount", /no matching overload/],
    ["data.amount && true", /type mismatch/],
    ["data.amount.all(x, x)", /type mismatch/],
    ["data.amount", "it gives a value of type double, not true or false"],
    ["data.email", "it gives a value of type string, not true or false"],
    ["data.nothing", "it gives a value of type null_type, not true or false"],
    ["data.list.map(x, x)", "it gives a value of type list, not true or false"],
    ["timestamp(data.email) > timestamp(data.at)", /timestamp/],
    ["int(data.email) > 1", /./],
    ["data.email.matches(data.email + '(')", /missing closing/],
    ["1 / int(data.empty.size()) > 0", /div/],
    // One thing is missing, another is wrong: what is wrong must be seen.
    ["data.absent > 3 || data.email > 3", /no matching overload/],
    ["data.email > 3 || data.absent > 3", /no matching overload/],
  ])("%s is an error that says why", (source, message) => {
    expect(evaluate(source)).toEqual({
      kind: "error",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("the same expression can be evaluated again, on other events", () => {
    const compiled = compileExpression("data.list.filter(x, x > 1).size() == 2");
    if (!compiled.ok) throw new Error(compiled.message);
    for (const [list, value] of [
      [[1, 2, 3], true],
      [[1], false],
      [[1, 2, 3], true],
    ] as const) {
      expect(compiled.expression.evaluate(scopeOf({ list }))).toEqual({ kind: "value", value });
    }
    expect(compiled.expression.source).toBe("data.list.filter(x, x > 1).size() == 2");
  });

  test("looking at an event leaves it as it was, whatever its keys are called", () => {
    const odd = JSON.parse(
      '{"constructor":{"name":"x"},"hasOwnProperty":1,"valueOf":[{"toString":2}]}',
    ) as object;
    const text = JSON.stringify(odd);
    const source =
      "data.constructor.name == 'x' && data.hasOwnProperty == 1 && data.valueOf[0].toString == 2";
    expect(evaluate(source, scopeOf(odd))).toEqual({ kind: "value", value: true });
    expect(JSON.stringify(odd)).toBe(text);
  });

  test("the evaluator takes the views of objects and arrays for its own maps and lists", () => {
    const budget = createBudget(100, 1);
    expect(isCelMap(viewJson({ a: 1 }, budget))).toBe(true);
    expect(isCelList(viewJson([1], budget))).toBe(true);
    expect(viewJson(null, budget)).toBe(null);
    expect(viewJson(undefined, budget)).toBe(undefined);
  });
});

describe("an expression that can't be right", () => {
  test.each<[string, string | RegExp, number | undefined, string?]>([
    ["", /empty/, 0],
    ["  \n", /empty/, 0],
    ["data.n >", /can't be read from `>`/, 7],
    ["data.n = 1", /can't be read from `= 1`/, 7, "compare with =="],
    ["data.n === 1", /can't be read/, 7, "compare with == or !="],
    ["data.a and data.b", /can't be read/, 7, "write && for and"],
    ["data.a or data.b", /can't be read/, 7, "write || for or"],
    ["data.a & data.b", /can't be read/, 7, "write && for and, with a value on both sides"],
    ["'open", /^the text `'open` has no end$/, 0, "'open'"],
    [
      'data.a == "it\'s" && data.b == "open',
      /^the text `"open` has no end$/,
      30,
      'data.a == "it\'s" && data.b == "open"',
    ],
    ["data.n == 1;", /can't be read from `;`/, 11],
    ["usr.id == 'x'", /there is no `usr` here/, 0, "user"],
    ["data.n == 1 && evnt.id == 'x'", /there is no `evnt` here/, 15, "event"],
    ["data.list.all(x, y > 0)", /there is no `y` here/, 17],
    ["sze(data.list) > 0", /there is no function `sze`/, undefined, "size"],
    ["data.email.startswith('a')", /there is no function `startswith`/, undefined, "startsWith"],
    ["data.list.exist(x, x > 1)", /no function `exist`/, undefined, "exists"],
    ["has(data)", /`has` is not used as it must be/, undefined],
    ["data.list.map(1, 2)", /`map` is not used as it must be/, undefined],
    ["data.email.matches('(')", /its regular expression is wrong/, undefined],
    [String.raw`data.email.matches('(a)\\1')`, /its regular expression is wrong/, undefined],
    ["data.email.matches('a(?=b)')", /its regular expression is wrong/, undefined],
    ["data.n > 99999999999999999999", /at most 64 bits/, 9],
    [`data.n == 1${" ".repeat(4096)}`, "it has 4107 characters; 4096 are allowed", 0],
    ["(".repeat(2000) + "1" + ")".repeat(2000), /too deep/, 0],
    [`1${"+1".repeat(400)} == 1`, /nests deeper than 250 levels/, undefined],
    [
      "data.l.all(a, data.l.all(b, data.l.all(c, data.l.all(d, data.l.all(e, true)))))",
      /loops nest deeper than 4/,
      undefined,
    ],
    ["'x'", /never true or false/, 0],
    ["42", /never true or false/, 0],
    ["[data.n]", /never true or false/, undefined],
  ])("%s", (source, message, offset, suggestion) => {
    const compiled = compileExpression(source);
    if (compiled.ok) throw new Error("it was taken");
    expect(compiled.message).toMatch(message);
    if (offset !== undefined) expect(compiled.offset).toBe(offset);
    expect(compiled.suggestion).toBe(suggestion);
    expect(compiled.problems[0]).toMatchObject({ message: compiled.message });
  });

  test("lists every problem, in the order of the text", () => {
    const compiled = compileExpression("usr.id == 'x' && sze(data.l) > 0 && evnt.x");
    if (compiled.ok) throw new Error("it was taken");
    expect(compiled.problems.map(({ suggestion }) => suggestion)).toEqual(["user", "size", "event"]);
    expect(compiled.problems.map(({ offset }) => offset)).toEqual([0, 17, 36]);
  });

  test("a trigger has no outputs of steps in scope, an edge has", () => {
    for (const source of ["output.ok", "steps.greet.ok"]) {
      expect(compileExpression(source, { names: edgeNames }).ok).toBe(true);
      expect(compileExpression(source, { names: triggerNames }).ok).toBe(false);
    }
  });

  test("no source can name what the evaluator uses itself", () => {
    for (const source of ["@round", "@result", "data.l.all(x, @round)", "@in(1, [1])"]) {
      expect(compileExpression(source).ok, source).toBe(false);
    }
  });

  test("random texts never throw, neither when compiled nor when evaluated", () => {
    const pieces =
      "data user .n .list [0] ( ) && || ! == > + - ? : 'x' 1 2.5 has( all(x, , x in null @ \\ \" \n".split(
        " ",
      );
    const random = seeded(11);
    for (let round = 0; round < 3_000; round += 1) {
      const source = Array.from({ length: 1 + random(9) }, () => pieces[random(pieces.length)]).join("");
      const compiled = compileExpression(source);
      if (compiled.ok)
        expect(["value", "missing", "error"]).toContain(compiled.expression.evaluate(scope).kind);
      else expect(compiled.message).not.toBe("");
    }
  });
});

describe("the steps that an expression names", () => {
  test.each([
    ["steps.greet.ok && steps['step-1'].n > 1", ["greet", "step-1"]],
    ["has(steps.greet)", ["greet"]],
    ["data.list.all(steps, steps.greet)", []],
    ["event.data.steps.greet", []],
    ["steps.step-1.ok", ["step"]],
  ])("%s", (source, steps) => {
    const compiled = compileExpression(source);
    if (!compiled.ok) throw new Error(compiled.message);
    expect(compiled.steps.map(({ step }) => step)).toEqual(steps);
  });
});
