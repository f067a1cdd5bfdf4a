import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/executor/history.ts";
import type { FunctionVersion } from "../../../host/function/version.ts";
import type { RunHeader, State } from "../../../host/state/state.ts";

/** A state under test, and how it ends. */
export interface StateFixture {
  readonly state: State;
  /** Closes the state and opens it anew on the same storage. */
  reopen(): Promise<State>;
  dispose(): Promise<void>;
}

function header(id: string, more: Partial<RunHeader> = {}): RunHeader {
  return {
    id,
    functionId: "f",
    functionVersion: "v1",
    eventId: `event-of-${id}`,
    eventName: "a/b",
    createdAt: 1_000,
    ...more,
  };
}

const started: HistoryEntry = {
  type: "run.started",
  at: 1_000,
  event: { id: "e", name: "a/b", data: {}, ts: 1 },
};

function completed(step: string, output: string): HistoryEntry {
  return { type: "step.completed", step, attempt: 1, startedAt: 1_001, at: 1_002, output };
}

function version(functionId: string, name: string): FunctionVersion {
  const document = { id: functionId, triggers: [{ event: "a/b" }], steps: {} };
  return { functionId, version: name, document, components: {}, createdAt: 1 };
}

/** Everything that the port `state` promises; every implementation must pass it. */
export function stateContract(
  name: string,
  open: () => Promise<StateFixture>,
  { outlivesClose }: { readonly outlivesClose: boolean },
): void {
  describe(`state contract: ${name}`, () => {
    let fixture: StateFixture;
    let state: State;
    beforeEach(async () => {
      fixture = await open();
      state = fixture.state;
    });
    afterEach(() => fixture.dispose());

    test("creates a run once, however often it is asked to", async () => {
      const create = () => state.runs.create(header("r1"), [started], { status: "running" });
      expect((await Promise.all([create(), create(), create()])).toSorted()).toEqual([
        "created",
        "exists",
        "exists",
      ]);
      expect((await state.runs.load("r1"))?.history).toEqual([started]);
      expect(await state.runs.load("none")).toBeUndefined();
    });

    test("keeps a run's header, status and history as they were written", async () => {
      const full = header("r1", { userId: "u1" });
      await state.runs.create(full, [started], { status: "running" });
      const entries = [completed("a", "ü\n"), completed("b", "x")];
      expect(await state.runs.append("r1", 1, entries, { status: "parked", wakeAt: 5_000 })).toBe("appended");
      expect(await state.runs.load("r1")).toEqual({
        ...full,
        status: "parked",
        wakeAt: 5_000,
        history: [started, ...entries],
      });
      const end: HistoryEntry = { type: "run.completed", at: 9 };
      await state.runs.append("r1", 3, [end], { status: "completed", finishedAt: 9 });
      expect(await state.runs.load("r1")).toEqual({
        ...full,
        status: "completed",
        finishedAt: 9,
        history: [started, ...entries, end],
      });
    });

    test("appends only behind the sequence that the writer has seen", async () => {
      await state.runs.create(header("r1"), [started], { status: "running" });
      const append = (output: string, after: number) =>
        state.runs.append("r1", after, [completed("a", output)], { status: "running" });
      expect(await append("first", 1)).toBe("appended");
      expect(await append("stale", 1)).toBe("conflict");
      expect(await append("ahead", 3)).toBe("conflict");
      expect(await state.runs.append("none", 1, [completed("a", "x")], { status: "running" })).toBe(
        "conflict",
      );
      expect((await state.runs.load("r1"))?.history).toEqual([started, completed("a", "first")]);
    });

    test("lets one of many concurrent appends win", async () => {
      await state.runs.create(header("r1"), [started], { status: "running" });
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          state.runs.append("r1", 1, [completed("a", String(i))], { status: "running" }),
        ),
      );
      expect(results.filter((result) => result === "appended")).toHaveLength(1);
      expect((await state.runs.load("r1"))?.history).toHaveLength(2);
    });

    test("moves a timer without an entry", async () => {
      await state.runs.create(header("r1"), [started], { status: "running" });
      expect(await state.runs.append("r1", 1, [], { status: "parked", wakeAt: 7 })).toBe("appended");
      expect(await state.runs.nextDue()).toBe(7);
      expect((await state.runs.load("r1"))?.history).toEqual([started]);
    });

    test("gives out due timers once, the most overdue first, and marks their runs as running", async () => {
      for (const [id, wakeAt] of [
        ["late", 300],
        ["soon", 100],
        ["next", 200],
        ["same", 200],
      ] as const) {
        await state.runs.create(header(id), [started], { status: "parked", wakeAt });
      }
      expect(await state.runs.nextDue()).toBe(100);
      expect(await state.runs.claimDue(99, 10)).toEqual([]);
      expect(await state.runs.claimDue(200, 1)).toEqual(["soon"]);
      expect((await state.runs.claimDue(200, 10)).toSorted()).toEqual(["next", "same"]);
      expect(await state.runs.claimDue(200, 10)).toEqual([]);
      expect(await state.runs.nextDue()).toBe(300);
      expect(await state.runs.load("soon")).toMatchObject({ status: "running" });
      expect(await state.runs.load("soon")).not.toHaveProperty("wakeAt");
      expect(await state.runs.load("late")).toMatchObject({ status: "parked", wakeAt: 300 });
      expect(await state.runs.claimDue(1_000, 10)).toEqual(["late"]);
      expect(await state.runs.nextDue()).toBeUndefined();
    });

    test("lists as orphans the runs that are neither parked nor finished, page by page", async () => {
      for (const [id, status] of [
        ["r1", "running"],
        ["r2", "parked"],
        ["r3", "running"],
        ["r4", "completed"],
        ["r5", "running"],
        ["r6", "failed"],
      ] as const) {
        await state.runs.create(header(id), [started], { status });
      }
      const first = await state.runs.orphans(undefined, 2);
      const second = await state.runs.orphans(first.at(-1), 2);
      expect([...first, ...second].toSorted()).toEqual(["r1", "r3", "r5"]);
      expect(first).toHaveLength(2);
    });

    test("lists runs, newest first, by every filter and page by page", async () => {
      const statuses = ["running", "completed", "failed", "completed", "parked", "cancelled"] as const;
      for (const [i, status] of statuses.entries()) {
        const more = { functionId: i % 2 === 0 ? "even" : "odd", userId: i < 3 ? "u1" : "u2", createdAt: i };
        await state.runs.create(header(`r${i}`, more), [started], { status });
      }
      const ids = async (filter: object): Promise<string[]> =>
        (await state.runs.query({ limit: 10, ...filter })).runs.map((run) => run.id);
      expect(await ids({})).toEqual(["r5", "r4", "r3", "r2", "r1", "r0"]);
      expect(await ids({ functionId: "even" })).toEqual(["r4", "r2", "r0"]);
      expect(await ids({ status: "completed" })).toEqual(["r3", "r1"]);
      expect(await ids({ status: "failed" })).toEqual(["r2"]);
      expect(await ids({ status: "parked" })).toEqual(["r4"]);
      expect(await ids({ userId: "u1", functionId: "even" })).toEqual(["r2", "r0"]);
      expect(await ids({ eventId: "event-of-r4" })).toEqual(["r4"]);
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await state.runs.query({ limit: 4, ...(cursor === undefined ? {} : { cursor }) });
        pages.push(page.runs.map((run) => run.id));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(pages).toEqual([
        ["r5", "r4", "r3", "r2"],
        ["r1", "r0"],
      ]);
    });

    test("keeps every version of a function, and says which is active", async () => {
      await state.catalog.putVersion(version("f", "v1"));
      await state.catalog.putVersion(version("f", "v2"));
      await state.catalog.putVersion({ ...version("f", "v2"), createdAt: 99 });
      await state.catalog.putVersion(version("g", "v1"));
      expect(await state.catalog.active()).toEqual([]);
      await state.catalog.activate("f", "v1");
      await state.catalog.activate("g", "v1");
      await state.catalog.activate("f", "v2");
      expect(await state.catalog.active()).toEqual([version("f", "v2"), version("g", "v1")]);
      await state.catalog.deactivate("g");
      expect(await state.catalog.active()).toEqual([version("f", "v2")]);
      expect(await state.catalog.getVersion("f", "v1")).toEqual(version("f", "v1"));
      expect(await state.catalog.getVersion("f", "v3")).toBeUndefined();
    });

    test("keeps artifacts by the sha256 of their bytes", async () => {
      const bytes = new TextEncoder().encode("abc");
      const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
      expect(await state.artifacts.has(sha256)).toBe(false);
      expect(await state.artifacts.put(bytes)).toBe(sha256);
      expect(await state.artifacts.put(bytes)).toBe(sha256);
      expect(await state.artifacts.has(sha256)).toBe(true);
      expect(Buffer.from((await state.artifacts.get(sha256)) ?? []).toString()).toBe("abc");
      expect(await state.artifacts.get("0".repeat(64))).toBeUndefined();
    });

    if (!outlivesClose) return;

    test("keeps runs, timers, versions and artifacts over a restart", async () => {
      await state.runs.create(header("r1"), [started], { status: "parked", wakeAt: 50 });
      await state.runs.create(header("r2"), [started], { status: "running" });
      await state.catalog.putVersion(version("f", "v1"));
      await state.catalog.activate("f", "v1");
      const sha256 = await state.artifacts.put(new Uint8Array([1, 2, 3]));
      state = await fixture.reopen();
      expect(await state.runs.orphans(undefined, 10)).toEqual(["r2"]);
      expect(await state.runs.nextDue()).toBe(50);
      expect((await state.runs.load("r1"))?.history).toEqual([started]);
      expect(await state.catalog.active()).toEqual([version("f", "v1")]);
      expect([...((await state.artifacts.get(sha256)) ?? [])]).toEqual([1, 2, 3]);
    });
  });
}
