import { expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import type { RunHeader, State } from "../../../host/state/state.ts";

/** What a state promises of events that go into runs with others. */
export function assignmentsContract(
  state: () => State,
  header: (eventId: string, more?: Partial<RunHeader>) => RunHeader,
  started: HistoryEntry,
): void {
  const into = "00000000000000000000000000000001";
  const other = "00000000000000000000000000000002";
  const running = { status: "running", host: "h1" } as const;
  const to = (runId: string) => ({ runId, functionVersion: "v1" });

  test("sends an event into one run, whoever asks, and keeps that", async () => {
    const { runs } = state();
    const own = header("e1");
    expect(await runs.assigned(own)).toBeUndefined();
    const asked = await Promise.all([into, other, into].map((run) => runs.assign([own], run)));
    const [first] = asked[0]!;
    expect(asked).toEqual([[first], [first], [first]]);
    expect(await runs.assign([{ ...own, functionVersion: "v2" }], other)).toEqual([first]);
    expect(await runs.assigned(own)).toEqual(first);
    expect(await runs.assigned(header("e1", { functionId: "g" }))).toBeUndefined();
  });

  test("has an event go on from the run that it was sent into, and from no other", async () => {
    const { runs } = state();
    const own = header("e1");
    await runs.assign([own], into);
    expect(await runs.reassign(own, other, other)).toEqual(to(into));
    const moved = await Promise.all([other, other].map((run) => runs.reassign(own, into, run)));
    expect(moved).toEqual([to(other), to(other)]);
    expect(await runs.assigned(own)).toEqual(to(other));
    expect(await runs.reassign(header("e2"), into, other)).toBeUndefined();
  });

  test("gives an event a run of its own, or sends it into another, and never both", async () => {
    const { runs } = state();
    const [one, two] = [header("e1"), header("e2")];
    await runs.create(one, [started], running);
    expect(await runs.assign([one, two], into)).toEqual([undefined, to(into)]);
    expect(await runs.create(two, [started], running)).toBeUndefined();
    expect(await runs.load(two.id)).toBeUndefined();
    // The run that it goes into may be that of the same function and event in all else.
    expect(await runs.create({ ...two, id: into }, [started], running)).toBeDefined();
    expect((await runs.load(one.id))?.id).toBe(one.id);
  });

  test("finds the run that an event went into, once, and lists no other for it", async () => {
    const { runs } = state();
    const [one, two, three] = [header("e1"), header("e2"), header("e3")];
    await runs.create({ ...one, id: other }, [started], { status: "cancelled", finishedAt: 1 });
    await runs.create({ ...one, id: into }, [started], running);
    await runs.assign([one, two], other);
    for (const own of [one, two]) await runs.reassign(own, other, into);
    await runs.create(three, [started], running);
    const found = async (filter: object): Promise<string[]> =>
      (await runs.query({ limit: 10, ...filter })).runs.map(({ id }) => id);
    expect(await found({ eventId: "e2" })).toEqual([into]);
    expect((await found({ eventId: "e1" })).toSorted()).toEqual([into, other]);
    expect(await found({ eventId: "e2", status: "completed" })).toEqual([]);
    expect((await found({})).toSorted()).toEqual([into, other, three.id].toSorted());
  });
}
