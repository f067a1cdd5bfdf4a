import { describe, expect, test } from "vitest";
import type { WaitDefinition } from "../../../host/function/definition.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { waitsFor } from "../../../host/run/waits-for.ts";
import { sketch } from "./definition-fixture.ts";

const event = { id: "e", name: "a/b", data: {}, ts: 0 };
const waits: readonly WaitDefinition[] = [
  ...["x", "y", "z", "v"].map((name, i) => waitFor(`w${i + 1}`, `order/${name}`)),
  { ...waitFor("w5", "link/approval"), link: { name: "approval", answers: [] } },
  { ...waitFor("c1", "order/withdrawn"), cancels: true },
];
const definition = sketch({ a: {}, b: { after: ["a"] } }, undefined, waits);

function waitFor(id: string, name: string): WaitDefinition {
  return { id, from: "$trigger", event: name, ttlMs: 1, leadsTo: ["b"], visible: [], before: [] };
}

function armed(...ids: readonly string[]): readonly HistoryEntry[] {
  return ids.map((wait) => ({ type: "wait.armed", at: 1, wait, from: "$trigger", eventName: "", until: 9 }));
}

/** What a run says that it waits for, after these entries. */
function said(entries: readonly HistoryEntry[], more: { wakeAt?: number; runtime?: string } = {}) {
  return waitsFor(definition, foldHistory([{ type: "run.started", at: 0, event }, ...entries]), more);
}

describe("what a parked run waits for, in words,", () => {
  test("is the events and answers of its waits, and not what would cancel it", () => {
    expect(said(armed("w1", "c1"), { wakeAt: 9 })).toBe("event order/x");
    expect(said(armed("w1", "w5"))).toBe("event order/x, link approval");
    expect(said([...armed("w1", "w2"), { type: "wait.cancelled", at: 2, wait: "w1" }])).toBe("event order/y");
  });

  test("is no longer than a list has room for", () => {
    expect(said(armed("w1", "w2", "w3", "w4", "w5"))).toBe(
      "event order/x, event order/y, event order/z and 2 more",
    );
  });

  test("is its turn, as flow control says, whatever else there is", () => {
    const queued: HistoryEntry = { type: "run.queued", at: 1, reason: "throttle: 1 in 1m", until: 5 };
    expect(said([...armed("w1"), queued], { wakeAt: 5 })).toBe("its turn: throttle: 1 in 1m");
    expect(said([queued, { type: "run.admitted", at: 5 }])).toBeUndefined();
  });

  test("is more events while it collects them", () => {
    expect(said([{ type: "run.collecting", at: 0, by: "batch", until: 5 }], { wakeAt: 5 })).toBe(
      "more events",
    );
  });

  test("is the next attempt of a step, a run that a step has invoked, a host that can run one, or a time", () => {
    const failed: HistoryEntry = {
      type: "step.failed",
      at: 1,
      step: "a",
      attempt: 1,
      startedAt: 0,
      failure: { code: "ERR_STEP_FAILED", message: "" },
      retryAt: 9,
    };
    expect(said([failed], { wakeAt: 9 })).toBe("the next attempt of a");
    const invoked: HistoryEntry = {
      type: "step.invoked",
      at: 1,
      step: "a",
      attempt: 1,
      functionId: "shipping",
      runId: "r",
      event,
    };
    expect(said([invoked], { wakeAt: 9 })).toBe("a run of shipping");
    expect(said([], { runtime: "docker" })).toBe("a host with runtime docker");
    expect(said([], { wakeAt: 9 })).toBe("its time");
    expect(said([])).toBeUndefined();
  });
});
