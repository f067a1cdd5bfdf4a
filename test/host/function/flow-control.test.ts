import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

describe("what a document says of flow control", () => {
  const controls = {
    idempotency: { key: "event.data.order", period: "24h" },
    singleton: { key: "[user.id, data.kind]", mode: "cancel" },
    rateLimit: { limit: 10, period: "1m", key: "event.user.id" },
    throttle: { limit: 100, period: "1h", burst: 10 },
  };

  test("is compiled", () => {
    const text = documentWith(controls);
    expect(problemsOf(text)).toEqual([]);
    const { flowControl } = define(functionVersion(JSON.parse(text) as FunctionDocument, {}, 0));
    expect(flowControl).toMatchObject({
      idempotency: { key: { source: "event.data.order" }, periodMs: 86_400_000 },
      singleton: { mode: "cancel" },
      rateLimit: { limit: 10, periodMs: 60_000 },
      throttle: { limit: 100, periodMs: 3_600_000, burst: 10 },
    });
    expect(
      define(functionVersion(JSON.parse(documentWith({})) as FunctionDocument, {}, 0)),
    ).not.toHaveProperty("flowControl");
  });

  test("gives keys of any kind of value", () => {
    const { flowControl } = define(
      functionVersion(JSON.parse(documentWith(controls)) as FunctionDocument, {}, 0),
    );
    const [user, data, name, ts] = [{ id: "u" }, { kind: 2 }, "a/b", 0];
    const scope = { event: { user, data }, user, data, name, ts };
    expect(flowControl?.singleton?.key?.value(scope)).toEqual({ kind: "value", value: ["u", 2] });
    expect(flowControl?.idempotency?.key.value(scope)).toMatchObject({ kind: "missing" });
  });

  test("is checked, with the place of each problem", () => {
    expect(
      pairsOf(
        documentWith({
          idempotency: { key: "event.", period: "100ms" },
          singleton: { key: "output.x", mode: "wait" },
          rateLimit: { limit: 0, period: "soon", per: 1 },
          throttle: { limit: 1.5, period: "367d", burst: 0, key: "steps.one" },
        }),
      ),
    ).toEqual([
      "DURATION /idempotency/period",
      "DURATION /rateLimit/period",
      "DURATION /throttle/period",
      "EXPRESSION /idempotency/key",
      "EXPRESSION /singleton/key",
      "EXPRESSION /throttle/key",
      "SCHEMA /rateLimit/limit",
      "SCHEMA /rateLimit/per",
      "SCHEMA /singleton/mode",
      "SCHEMA /throttle/burst",
      "SCHEMA /throttle/limit",
    ]);
    expect(pairsOf(documentWith({ idempotency: {}, singleton: 1, rateLimit: { limit: 1 } }))).toEqual([
      "SCHEMA /idempotency",
      "SCHEMA /idempotency",
      "SCHEMA /rateLimit",
      "SCHEMA /singleton",
    ]);
  });

  test("has limits in the order in which a run asks for slots: those of keys first, shared ones last", () => {
    const concurrency = [
      { limit: 9, scope: "shared", name: "b" },
      { limit: 8, scope: "shared", name: "a", key: "user.id" },
      { limit: 7, scope: "shared", name: "a2" },
      { limit: 6 },
      { limit: 5, key: "user.id" },
    ];
    const text = documentWith({ concurrency, priority: "data.n" });
    expect(problemsOf(text)).toEqual([]);
    const { flowControl } = define(functionVersion(JSON.parse(text) as FunctionDocument, {}, 0));
    expect(flowControl?.concurrency?.map(({ limit }) => limit)).toEqual([5, 6, 8, 7, 9]);
    expect(flowControl?.priority?.source).toBe("data.n");
  });

  test("is checked for limits without a name, with one too many, or twice, and for a priority without a use", () => {
    expect(
      pairsOf(
        documentWith({
          concurrency: [
            { limit: 0, key: "event." },
            { limit: 1, scope: "shared" },
            { limit: 1, name: "x" },
            { limit: 1, scope: "shared", name: "api" },
            { limit: 2, scope: "shared", name: "api", key: "user.id" },
            { limit: 3 },
          ],
          priority: "output",
        }),
      ),
    ).toEqual([
      "DUPLICATE /concurrency/4",
      "DUPLICATE /concurrency/5",
      "EXPRESSION /concurrency/0/key",
      "EXPRESSION /priority",
      "SCHEMA /concurrency/0/limit",
      "SCHEMA /concurrency/1",
      "SCHEMA /concurrency/2/name",
    ]);
    expect(pairsOf(documentWith({ priority: "data.n" }))).toEqual(["SCHEMA /priority"]);
    expect(pairsOf(documentWith({ concurrency: { limit: 1 } }))).toEqual(["SCHEMA /concurrency"]);
  });
});
