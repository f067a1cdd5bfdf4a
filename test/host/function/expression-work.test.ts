import { describe, expect, test } from "vitest";
import { type Evaluation, type Scope, compileExpression } from "../../../host/function/expression.ts";
import { containsText } from "../../../host/function/text-search.ts";
import { seeded } from "../../random.ts";

function evaluate(source: string, within: Scope): Evaluation {
  const compiled = compileExpression(source);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.expression.evaluate(within);
}

function scopeOf(data: unknown): Scope {
  return { event: { data }, data, user: undefined, ts: 1, name: "x" };
}

describe("the work of an expression is bounded", () => {
  const tooMuch = { kind: "error", message: "it takes too much work on this event" };
  const long = "a".repeat(120_000);
  const list = Array.from({ length: 60_000 }, (_, index) => index % 10);

  // Unbounded, each of these would still be at work when the test is given up.
  test.each<[string, unknown]>([
    ["data.l.all(x, data.l.all(y, data.l.all(z, true)))", { l: list }],
    [`[${"0,".repeat(600)}0].all(x, [${"0,".repeat(600)}0].all(y, [${"0,".repeat(600)}0].all(z, true)))`, {}],
    ["data.l.all(x, data.l == data.m)", { l: list, m: [...list] }],
    ["data.l.all(x, !(11 in data.l))", { l: list }],
    ["data.l.all(x, !data.a.contains('aab'))", { l: list, a: long }],
    ["[data.l.map(x, x)].all(g, data.l.all(y, g.all(z, z > 100) || true))", { l: list.slice(0, 20_000) }],
    // One long text in many short rounds, and many rounds of one long body.
    ["[data.a].all(x, data.l.all(y, !x.contains('b')))", { l: list, a: long }],
    [`data.l.all(x, [${"x,".repeat(1_500)}x].size() > 0)`, { l: list }],
    ["data.a.matches('((a{1,30}){1,30})$')", { a: `${long}b` }],
  ])("%s", (source, given) => {
    expect(evaluate(source, scopeOf(given))).toEqual(tooMuch);
  });

  test("an error of a loop that ran out of work can't be hidden", () => {
    const loop = "data.l.all(x, data.l.all(y, data.l.all(z, true)))";
    for (const source of [
      `${loop} || true`,
      `!(${loop} && false)`,
      `(11 in data.l.map(x, ${loop})) || true`,
    ]) {
      expect(evaluate(source, scopeOf({ l: list })), source).toEqual(tooMuch);
    }
  });

  test("patterns that make an engine backtrack take time that grows with the text alone", () => {
    // With backtracking, 2 to the power of 120,000 steps.
    expect(evaluate("data.a.matches('^(a+)+$')", scopeOf({ a: `${long}b` }))).toEqual({
      kind: "value",
      value: false,
    });
    expect(evaluate("data.a.matches('^(a|aa)+$')", scopeOf({ a: `${long}b` }))).toEqual({
      kind: "value",
      value: false,
    });
    expect(evaluate("data.a.matches('^(.*a){9}$')", scopeOf({ a: `${"a".repeat(5_000)}b` }))).toMatchObject({
      kind: "value",
    });
  });

  test("one walk over a list as long as an event can hold is not too much", () => {
    expect(evaluate("data.l.all(x, x >= 0)", scopeOf({ l: list }))).toEqual({ kind: "value", value: true });
    expect(evaluate("data.l.map(x, x + 1).size() == 60000", scopeOf({ l: list }))).toEqual({
      kind: "value",
      value: true,
    });
    expect(
      evaluate("data.l.filter(x, x > 5).exists(y, y == 9)", scopeOf({ l: list.slice(0, 20_000) })),
    ).toEqual({
      kind: "value",
      value: true,
    });
  });

  test("lists that grow from the same beginning keep apart", () => {
    const source = "data.l.map(x, [1, 2].map(y, x + y)) == [[2.0, 3.0], [3.0, 4.0]]";
    expect(evaluate(source, scopeOf({ l: [1, 2] }))).toEqual({ kind: "value", value: true });
    const twice =
      "[data.l.map(x, x)].all(g, g + [7] == [1, 2, 7] && g + [8] == [1, 2, 8] && g + [9, 9] == [1, 2, 9, 9])";
    expect(evaluate(twice, scopeOf({ l: [1, 2] }))).toEqual({ kind: "value", value: true });
  });
});

describe("searching text", () => {
  test("finds what the engine finds, for needles of any length", () => {
    const random = seeded(3);
    const word = (length: number): string => Array.from({ length }, () => "ab"[random(2)]).join("");
    for (let round = 0; round < 2_000; round += 1) {
      const needle = word(1 + random(140));
      const at = random(50);
      const text = random(2) === 0 ? word(300) : word(at) + needle + word(50);
      expect(containsText(text, needle)).toBe(text.includes(needle));
    }
    expect(containsText("", "")).toBe(true);
    expect(containsText("a", "")).toBe(true);
  });
});
