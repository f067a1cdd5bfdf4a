import { describe, expect, test } from "vitest";
import { collectsUntil, fitting, fullBy } from "../../../host/run/collecting.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import type { CollectDefinition } from "../../../host/function/definition.ts";
import { sketch } from "./definition-fixture.ts";

const event = (id: string) => ({ id, name: "a/b", data: {}, ts: 0 });

function begin(by: "batch" | "debounce", until = 100): HistoryEntry[] {
  return [
    { type: "run.started", at: 10, event: event("e3"), eventSeq: 3 },
    { type: "run.collecting", at: 10, by, until },
  ];
}

function collected(seqs: readonly number[], at = 20, until = 100, last = Math.max(...seqs)): HistoryEntry {
  const events = seqs.map((seq) => ({
    id: `e${seq}`,
    seq,
    ...(seq > last ? {} : { event: event(`e${seq}`) }),
  }));
  return { type: "run.collected", at, events, until };
}

const begun: HistoryEntry = { type: "run.begun", at: 50, why: "count" };

/** What is next after this history. */
function next(history: readonly HistoryEntry[], now: number) {
  const definition = { ...sketch({ a: {} }), timeoutMs: 1_000 };
  const { decided, execute, wakeAt } = transition(definition, foldHistory(history), {
    now,
    underWay: new Set(),
  });
  return [decided.map(({ type }) => type), execute.map(({ step }) => step.id), wakeAt];
}

describe("a run that collects", () => {
  test("does nothing until its time is over, and then begins", () => {
    expect(next(begin("batch"), 99)).toEqual([[], [], 100]);
    expect(next(begin("batch"), 100)).toEqual([["run.begun"], [], 100]);
    expect(next([...begin("debounce"), collected([4], 20, 200)], 150)).toEqual([[], [], 200]);
  });

  test("begins when its time is over even while it is paused, and no step starts", () => {
    const paused: HistoryEntry = { type: "run.paused", at: 11 };
    expect(next([...begin("batch"), paused], 100)).toEqual([["run.begun"], [], 100]);
    expect(next([...begin("batch"), paused, begun], 100)).toEqual([[], [], 1_050]);
    expect(next([...begin("batch"), paused], 99)).toEqual([[], [], 100]);
  });

  test("has the time that it may take from when it begins", () => {
    expect(next([...begin("batch"), begun], 60)).toEqual([[], ["a"], 1_050]);
  });
});

describe("what a run gets that has begun", () => {
  test("of a batch: all, in the order in which they were stored, however they came", () => {
    const view = foldHistory([...begin("batch"), collected([5, 1], 20), collected([4]), begun]);
    expect(view.events?.map(({ id }) => id)).toEqual(["e1", "e3", "e4", "e5"]);
    expect([view.event?.id, view.eventSeq, view.startedAt, view.collecting]).toEqual([
      "e1",
      1,
      50,
      undefined,
    ]);
  });

  test("of a debounce: the last that was stored", () => {
    const view = foldHistory([...begin("debounce"), collected([6, 5]), collected([4], 30, 100, 0), begun]);
    expect([view.event?.id, view.eventSeq, view.events]).toEqual(["e6", 6, undefined]);
  });

  test("stays so for good once it is cancelled: going on, it collects no more", () => {
    const cancelled: HistoryEntry = { type: "run.cancelled", at: 30 };
    const again: HistoryEntry = { type: "run.retried", at: 40, steps: [], waits: [] };
    const history = [...begin("batch"), collected([4]), cancelled, again];
    expect(foldHistory([...history, collected([5])]).events?.map(({ id }) => id)).toEqual(["e3", "e4"]);
    expect(next(history, 60)).toEqual([[], ["a"], 1_040]);
  });
});

describe("how long, and how much", () => {
  const batch: CollectDefinition = { by: "batch", maxSize: 3, timeoutMs: 100 };
  const debounce: CollectDefinition = { by: "debounce", periodMs: 50, timeoutMs: 120 };

  test("a batch has its time from its first event on, a debounce from its last, and not beyond its own", () => {
    expect(collectsUntil(batch, 10, 70)).toBe(110);
    expect([10, 70, 100].map((at) => collectsUntil(debounce, 10, at))).toEqual([60, 120, 130]);
    expect(collectsUntil({ by: "debounce", periodMs: 50 }, 10, 1_000)).toBe(1_050);
  });

  const events = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `e${n}`, seq: n }));

  test("a run is full by count or by size", () => {
    const of = (count: number, size: number) => fullBy({ by: "batch", events: events(count), size }, batch);
    expect([of(2, 10), of(3, 10), of(2, 4 * 2 ** 20)]).toEqual([undefined, "count", "size"]);
    expect(fullBy({ by: "debounce", events: events(9_999), size: 10 }, debounce)).toBeUndefined();
    expect(fullBy({ by: "debounce", events: events(10_000), size: 10 }, debounce)).toBe("count");
  });

  test("only as many events are taken as there is room for; the first of a run is, whatever its size", () => {
    const sized = (...sizes: number[]) => sizes.map((size) => ({ size }));
    const large = 3 * 2 ** 20;
    expect(fitting(sized(1, 1, 1, 1), batch)).toHaveLength(3);
    expect(fitting(sized(1, 1), batch, { events: events(2), size: 2 })).toHaveLength(1);
    expect(fitting(sized(large, large), batch)).toHaveLength(1);
    expect(fitting(sized(2 * large, 1), batch)).toHaveLength(1);
    expect(fitting(sized(large), batch, { events: events(1), size: large })).toHaveLength(0);
  });
});
