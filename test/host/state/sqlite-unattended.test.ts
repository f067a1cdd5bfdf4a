import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { createSqliteState } from "../../../host/state/sqlite.ts";
import type { State, UnattendedRuns } from "../../../host/state/state.ts";
import { embedded, type EmbeddedFixture } from "../embedded-fixture.ts";
import { header, started } from "./state-contract.ts";

describe("the runs of an embedded store that nobody else attends to", () => {
  let fixture: EmbeddedFixture<State>;
  let state: State;
  let unattended: UnattendedRuns;
  const use = (opened: State): void => {
    state = opened;
    if (opened.unattended === undefined) throw new Error("an embedded store attends to nothing");
    ({ unattended } = opened);
  };
  beforeEach(async () => {
    fixture = await embedded("sqlite:", (database) => createSqliteState(database, systemClock));
    use(fixture.current());
  });
  afterEach(() => fixture.dispose());

  const create = (name: string, status: "running" | "parked" | "completed" | "failed", wakeAt?: number) =>
    state.runs.create(header(name), [started], { status, ...(wakeAt === undefined ? {} : { wakeAt }) });
  /** The event ids of runs. */
  const names = async (ids: readonly string[]): Promise<string[]> =>
    Promise.all(ids.map(async (id) => (await state.runs.load(id))?.eventId ?? "none"));
  const claim = async (now: number, limit: number) => names(await unattended.claimDue(now, limit));

  test("gives out due timers once, the most overdue first, and marks their runs as running", async () => {
    await create("late", "parked", 300);
    await create("soon", "parked", 100);
    await create("next", "parked", 200);
    await create("same", "parked", 200);
    expect(await unattended.nextDue()).toBe(100);
    expect(await claim(99, 10)).toEqual([]);
    expect(await claim(200, 1)).toEqual(["soon"]);
    expect((await claim(200, 10)).toSorted()).toEqual(["next", "same"]);
    expect(await claim(200, 10)).toEqual([]);
    expect(await unattended.nextDue()).toBe(300);
    const soon = await state.runs.load(header("soon").id);
    expect(soon).toMatchObject({ status: "running" });
    expect(soon).not.toHaveProperty("wakeAt");
    expect(await state.runs.load(header("late").id)).toMatchObject({ status: "parked", wakeAt: 300 });
    expect(await claim(1_000, 10)).toEqual(["late"]);
    expect(await unattended.nextDue()).toBeUndefined();
  });

  test("moves a timer without an entry", async () => {
    const revision = await create("r1", "running");
    await state.runs.append(header("r1"), revision!, [], { status: "parked", wakeAt: 7 });
    expect(await unattended.nextDue()).toBe(7);
    expect((await state.runs.load(header("r1").id))?.history).toEqual([started]);
  });

  test("lists as orphans the runs that are neither parked nor finished, page by page", async () => {
    await create("r1", "running");
    await create("r2", "parked");
    await create("r3", "running");
    await create("r4", "completed");
    await create("r5", "running");
    await create("r6", "failed");
    const first = await unattended.orphans(undefined, 2);
    const second = await unattended.orphans(first.at(-1), 2);
    expect(await names([...first, ...second])).toEqual(["r1", "r3", "r5"]);
    expect(first).toHaveLength(2);
  });

  test("keeps timers and orphans over a restart", async () => {
    await create("r1", "parked", 50);
    await create("r2", "running");
    use(await fixture.reopen());
    expect(await names(await unattended.orphans(undefined, 10))).toEqual(["r2"]);
    expect(await unattended.nextDue()).toBe(50);
  });
});
