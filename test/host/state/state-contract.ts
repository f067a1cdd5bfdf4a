import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { runId } from "../../../host/run/run-id.ts";
import type { FunctionVersion } from "../../../host/function/version.ts";
import { assignmentsContract } from "./assignments-contract.ts";
import { gatesContract } from "./gates-contract.ts";
import { keyValuesContract } from "./key-values-contract.ts";
import { queuesContract } from "./queues-contract.ts";
import type { ActiveVersion, RunFilter, RunHeader, State } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";

/** A state under test, and how it ends. */
export interface StateFixture {
  readonly state: State;
  /** Closes the state and opens it anew on the same storage. */
  reopen(): Promise<State>;
  dispose(): Promise<void>;
}

/** The run of a function for an event. */
export function header(eventId: string, more: Partial<RunHeader> = {}): RunHeader {
  const functionId = more.functionId ?? "f";
  return {
    id: runId(functionId, eventId),
    functionId,
    functionVersion: "v1",
    eventId,
    eventName: "a/b",
    createdAt: 1_000,
    ...more,
  };
}

const running = { status: "running", host: "h1" } as const;

export const started: HistoryEntry = {
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

function active(functionId: string, name: string, activatedAt: number): ActiveVersion {
  return { ...version(functionId, name), activatedAt };
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

    /** The event ids of the runs of each page. */
    const pages = async (filter: Omit<RunFilter, "cursor">): Promise<string[][]> => {
      const all: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await state.runs.query({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
        all.push(page.runs.map((run) => run.eventId));
        cursor = page.next;
      } while (cursor !== undefined);
      return all;
    };

    test("creates a run once, however often it is asked to", async () => {
      const run = header("e1");
      const create = () => state.runs.create(run, [started], running);
      const revisions = await Promise.all([create(), create(), create()]);
      expect(revisions.filter((revision) => revision !== undefined)).toHaveLength(1);
      expect(await create()).toBeUndefined();
      expect((await state.runs.load(run.id))?.history).toEqual([started]);
      expect(await state.runs.load(runId("f", "none"))).toBeUndefined();
      expect(await state.runs.load("none")).toBeUndefined();
    });

    test("has whoever comes too late to create a run find it at once", async () => {
      for (let n = 0; n < 30; n += 1) {
        const run = header(`e${n}`);
        const found = async () =>
          (await state.runs.create(run, [started], running)) ?? (await state.runs.load(run.id))?.revision;
        const revisions = new Set(await Promise.all([found(), found(), found()]));
        expect([...revisions]).toEqual([expect.any(Number)]);
      }
    });

    test("keeps a run's header, status and history as they were written", async () => {
      const run = header("e1", { userId: "u1" });
      const first = await state.runs.create(run, [started], running);
      expect(await state.runs.load(run.id)).toEqual({
        ...run,
        ...running,
        revision: first,
        history: [started],
      });
      const entries = [completed("a", "ü\n"), completed("b", "x")];
      const wakeAt = Date.now() + 3_600_000;
      const parked = { status: "parked", wakeAt, waitsFor: "event c/d" } as const;
      const second = await state.runs.append(run, first!, entries, parked);
      expect(second).toBeGreaterThan(first!);
      expect(await state.runs.load(run.id)).toEqual({
        ...run,
        ...parked,
        revision: second,
        history: [started, ...entries],
      });
      expect((await state.runs.query({ limit: 10 })).runs).toMatchObject([{ ...run, ...parked }]);
      const end: HistoryEntry = { type: "run.completed", at: 9 };
      const finished = { status: "completed", finishedAt: 9 } as const;
      const third = await state.runs.append(run, second!, [end], finished);
      expect(await state.runs.load(run.id)).toEqual({
        ...run,
        ...finished,
        revision: third,
        history: [started, ...entries, end],
      });
    });

    test("appends only behind the revision that the writer has seen", async () => {
      const run = header("e1");
      const first = (await state.runs.create(run, [started], running))!;
      const append = (output: string, revision: number) =>
        state.runs.append(run, revision, [completed("a", output)], running);
      expect(await append("first", first)).toBeDefined();
      expect(await append("stale", first)).toBeUndefined();
      expect(await append("ahead", first + 1_000)).toBeUndefined();
      expect(await state.runs.append(header("none"), 1, [completed("a", "x")], running)).toBeUndefined();
      expect((await state.runs.load(run.id))?.history).toEqual([started, completed("a", "first")]);
    });

    test("lets one of many concurrent appends win", async () => {
      const run = header("e1");
      const first = (await state.runs.create(run, [started], running))!;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          state.runs.append(run, first, [completed("a", String(i))], running),
        ),
      );
      expect(results.filter((revision) => revision !== undefined)).toHaveLength(1);
      expect((await state.runs.load(run.id))?.history).toHaveLength(2);
    });

    test("shuts out whoever held a run before, by an append without entries", async () => {
      const run = header("e1");
      const first = (await state.runs.create(run, [started], running))!;
      const taken = (await state.runs.append(run, first, [], { status: "running", host: "h2" }))!;
      expect(await state.runs.append(run, first, [completed("a", "late")], running)).toBeUndefined();
      expect(await state.runs.load(run.id)).toMatchObject({
        host: "h2",
        revision: taken,
        history: [started],
      });
      expect(await state.runs.append(run, taken, [completed("a", "mine")], running)).toBeDefined();
    });

    test("lists runs, newest first, by every filter and page by page", async () => {
      const statuses = ["running", "completed", "failed", "completed", "parked", "cancelled"] as const;
      for (const [i, status] of statuses.entries()) {
        const more = { functionId: i % 2 === 0 ? "even" : "odd", userId: i < 3 ? "u1" : "u2", createdAt: i };
        const run = header(`r${i}`, more);
        const revision = await state.runs.create(run, [started], running);
        if (status !== "running") await state.runs.append(run, revision!, [], { status });
      }
      const ids = async (filter: object): Promise<string[]> => (await pages({ limit: 10, ...filter })).flat();
      expect(await ids({})).toEqual(["r5", "r4", "r3", "r2", "r1", "r0"]);
      expect(await ids({ functionId: "even" })).toEqual(["r4", "r2", "r0"]);
      expect(await ids({ status: "completed" })).toEqual(["r3", "r1"]);
      expect(await ids({ status: "failed" })).toEqual(["r2"]);
      expect(await ids({ status: "parked" })).toEqual(["r4"]);
      expect(await ids({ userId: "u1", functionId: "even" })).toEqual(["r2", "r0"]);
      expect(await ids({ eventId: "r4" })).toEqual(["r4"]);
      expect(await pages({ limit: 4 })).toEqual([
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
      await state.catalog.activate("f", "v1", 10);
      await state.catalog.activate("g", "v1", 20);
      await state.catalog.activate("f", "v2", 30);
      // It is active already, and stays so since then.
      await state.catalog.activate("g", "v1", 40);
      expect(await state.catalog.active()).toEqual([active("f", "v2", 30), active("g", "v1", 20)]);
      await state.catalog.deactivate("g");
      expect(await state.catalog.active()).toEqual([active("f", "v2", 30)]);
      await state.catalog.activate("g", "v1", 50);
      expect(await state.catalog.active()).toEqual([active("f", "v2", 30), active("g", "v1", 50)]);
      expect(await state.catalog.getVersion("f", "v1")).toEqual(version("f", "v1"));
      expect(await state.catalog.getVersion("f", "v3")).toBeUndefined();
    });

    test("remembers which functions an event ever triggered", async () => {
      const triggers = [{ event: "c" }, { event: "a/b" }, { cron: "@daily" }];
      const other = { ...version("g", "v1").document, triggers };
      await state.catalog.putVersion(version("f", "v1"));
      await state.catalog.activate("f", "v1", 10);
      await state.catalog.putVersion({ ...version("g", "v1"), document: other });
      await state.catalog.activate("g", "v1", 10);
      await state.catalog.deactivate("f");
      expect((await state.catalog.everTriggeredBy("a/b")).toSorted()).toEqual(["f", "g"]);
      expect(await state.catalog.everTriggeredBy("c")).toEqual(["g"]);
      expect(await state.catalog.everTriggeredBy("cron/g")).toEqual(["g"]);
      expect(await state.catalog.everTriggeredBy("cron/f")).toEqual([]);
      expect(await state.catalog.everTriggeredBy("a")).toEqual([]);
    });

    test("keeps the schemas of events by name", async () => {
      expect(await state.catalog.schemas()).toEqual({});
      await state.catalog.putSchemas({ "a/b": { type: "object" }, "user signed.up": true });
      await state.catalog.putSchemas({ "a/b": { type: "string" }, c: false });
      await state.catalog.putSchemas({ c: null, none: null });
      expect(await state.catalog.schemas()).toEqual({ "a/b": { type: "string" }, "user signed.up": true });
    });

    const armed = (eventId: string, wait: string, key = "0123456789ab") => ({
      key,
      runId: runId("f", eventId),
      wait,
      until: Date.now() + 60_000,
    });
    const found = async (key: string, limit = 100): Promise<string[]> => {
      const all: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await state.waits.find(key, { limit, ...(after === undefined ? {} : { after }) });
        all.push(...page.waits.map((one) => `${one.runId} ${one.wait}`));
        if (page.next === undefined) return [...new Set(all)].toSorted();
        after = page.next;
      }
    };
    const names = (waits: readonly { runId: string; wait: string }[]): string[] =>
      waits.map((one) => `${one.runId} ${one.wait}`).toSorted();

    test("finds armed waits by their key, page by page, until they are disarmed", async () => {
      const waits = Array.from({ length: 25 }, (_, i) => armed(`e${i}`, i % 2 === 0 ? "w1" : "w2"));
      const other = armed("e0", "w3", "ffffffffffff");
      expect(await found("0123456789ab")).toEqual([]);
      await state.waits.arm([...waits, other]);
      await state.waits.arm(waits.slice(0, 5));
      expect(await found("0123456789ab", 4)).toEqual(names(waits));
      expect(await found("ffffffffffff")).toEqual(names([other]));
      await state.waits.disarm([...waits.slice(0, 20), armed("none", "w1")]);
      expect(await found("0123456789ab", 4)).toEqual(names(waits.slice(20)));
      await state.waits.arm(waits.slice(0, 1));
      expect(await found("0123456789ab")).toEqual(names([...waits.slice(20), ...waits.slice(0, 1)]));
    });

    test("disarms waits along with an append, if that is stored", async () => {
      const run = header("e1");
      const wait = armed("e1", "w1");
      const first = (await state.runs.create(run, [started], running))!;
      await state.waits.arm([wait]);
      const done = { status: "completed", finishedAt: 9, disarm: [wait] } as const;
      expect(await state.runs.append(run, first + 1_000, [], done)).toBeUndefined();
      expect(await found(wait.key)).toEqual(names([wait]));
      const next = await state.runs.append(run, first, [{ type: "run.completed", at: 9 }], done);
      expect(await state.runs.load(run.id)).toEqual({
        ...run,
        status: "completed",
        finishedAt: 9,
        revision: next,
        history: [started, { type: "run.completed", at: 9 }],
      });
      await until(async () => (await found(wait.key)).length === 0);
    });

    test("knows by which paths of an event waits are found", async () => {
      expect(await state.waits.paths("a/b")).toEqual([]);
      await state.waits.declare("a/b", '["data","id"]');
      await state.waits.declare("a/b", "[]");
      await state.waits.declare("a/b", "[]");
      await state.waits.declare("a", '["data","ü.*"]');
      expect((await state.waits.paths("a/b")).toSorted()).toEqual(['["data","id"]', "[]"]);
      expect(await state.waits.paths("a")).toEqual(['["data","ü.*"]']);
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

    keyValuesContract(
      () => state.keyValues,
      outlivesClose ? async () => (state = await fixture.reopen()).keyValues : undefined,
    );

    queuesContract(() => state, outlivesClose ? async () => (state = await fixture.reopen()) : undefined);

    assignmentsContract(() => state, header, started);
    gatesContract(
      () => state.gates,
      outlivesClose ? async () => (state = await fixture.reopen()).gates : undefined,
    );

    if (!outlivesClose) return;

    test("keeps runs, versions, schemas and artifacts over a restart", async () => {
      const run = header("e1");
      await state.runs.create(run, [started], running);
      await state.catalog.putVersion(version("f", "v1"));
      await state.catalog.activate("f", "v1", 10);
      await state.catalog.putSchemas({ "a/b": true });
      await state.waits.declare("a/b", "[]");
      await state.waits.arm([armed("e1", "w1")]);
      const sha256 = await state.artifacts.put(new Uint8Array([1, 2, 3]));
      state = await fixture.reopen();
      expect((await state.runs.load(run.id))?.history).toEqual([started]);
      expect(await state.catalog.active()).toEqual([active("f", "v1", 10)]);
      expect(await found("0123456789ab")).toEqual(names([armed("e1", "w1")]));
      expect(await state.waits.paths("a/b")).toEqual(["[]"]);
      expect(await state.catalog.schemas()).toEqual({ "a/b": true });
      expect([...((await state.artifacts.get(sha256)) ?? [])]).toEqual([1, 2, 3]);
    });
  });
}
