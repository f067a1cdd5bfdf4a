import { describe, expect, test } from "vitest";
import { compileExpression, type Scope, type ValueEvaluation } from "../../../host/function/expression.ts";

const data = {
  amount: 150,
  name: "Ada",
  items: [
    { sku: "a", price: 10 },
    { sku: "b", price: 20.5 },
  ],
};
const event = { id: "e1", name: "order/placed", data, ts: 1_700_000_000_000 };
const scope: Scope = {
  event,
  data,
  user: undefined,
  ts: event.ts,
  name: event.name,
  steps: { charge: { id: "ch_1" } },
};

function valueOf(source: string): ValueEvaluation {
  const compiled = compileExpression(source, { gives: "value" });
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.expression.value(scope);
}

describe("an expression that gives a value", () => {
  test.each([
    ["data.amount", 150],
    ["data.amount * 2", 300],
    ["1 + 2", 3],
    ["1u", 1],
    ["'Dear ' + data.name", "Dear Ada"],
    ["data.items[1]", { sku: "b", price: 20.5 }],
    ["data.items.filter(item, item.price > 15)", [{ sku: "b", price: 20.5 }]],
    [
      "{'order': steps.charge.id, 'total': data.amount, 'twice': [data.name, data.name]}",
      { order: "ch_1", total: 150, twice: ["Ada", "Ada"] },
    ],
    ["{1: true}", { 1: true }],
    ["data.amount > 100", true],
    ["null", null],
    ["b'ab'", "YWI="],
    ["timestamp('2026-01-02T03:04:05.678Z') - duration('1h')", "2026-01-02T02:04:05.678Z"],
    ["duration('90.5s')", "90.5s"],
  ])("%s", (source, value) => {
    expect(valueOf(source)).toEqual({ kind: "value", value });
  });

  test("hands on the objects of the event themselves", () => {
    const given = valueOf("data.items");
    expect(given.kind === "value" && given.value).toBe(data.items);
  });

  test("tells of what is missing, and of what is wrong", () => {
    expect(valueOf("data.nothing.at.all")).toMatchObject({ kind: "missing" });
    expect(valueOf("data.name - 1")).toMatchObject({ kind: "error" });
    expect(valueOf("1.0 / 0.0")).toMatchObject({
      kind: "error",
      message: expect.stringContaining("Infinity"),
    });
    expect(valueOf("type(1)")).toMatchObject({
      kind: "error",
      message: "it gives a value that JSON has not",
    });
  });

  test("gives no more than a mebibyte, however often it names a large part", () => {
    const large = { ...scope, data: { text: ["x".repeat(200_000)] } };
    const compiled = compileExpression(`[${"data.text,".repeat(300)} 1]`, { gives: "value" });
    expect(compiled.ok && compiled.expression.value(large)).toMatchObject({
      kind: "error",
      message: expect.stringContaining("1048576 characters"),
    });
  });

  test("may be a list or a number, which no condition is", () => {
    expect(compileExpression("[1]", { gives: "value" }).ok).toBe(true);
    expect(compileExpression("[1]").ok).toBe(false);
  });
});
