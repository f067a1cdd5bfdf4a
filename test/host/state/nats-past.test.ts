import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { createNatsState } from "../../../host/state/nats.ts";
import type { RunHeader, State } from "../../../host/state/state.ts";
import type { NatsSession } from "../../../host/nats/session.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { useInstallation, type Installation } from "../nats/installation.ts";

const program = findNatsServer();
const run: RunHeader = {
  id: "00112233445566778899aabbccddeeff",
  functionId: "f",
  functionVersion: "v1",
  eventId: "e1",
  eventName: "a/b",
  createdAt: 1,
};
const event = { id: "e1", name: "a/b", data: {}, ts: 1 };
const started: HistoryEntry = { type: "run.started", at: 1, event, eventSeq: 1 };
const completed = (step: string, output: string): HistoryEntry => ({
  type: "step.completed",
  step,
  attempt: 1,
  startedAt: 1,
  at: 2,
  output,
});

describe.skipIf(program === undefined)("a parked run on NATS", () => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll });
  let on: Installation;
  let session: NatsSession;
  let state: State;
  beforeEach(async () => {
    on = await installation.open(systemClock);
    ({ session } = on);
    state = await createNatsState(session);
  });
  afterEach(async () => {
    await state.close();
    await on.dispose();
  });

  /** Parks the run after these steps; resolves to its revision. */
  const park = async (...steps: HistoryEntry[]): Promise<number> => {
    const running = { status: "running", host: "h" } as const;
    let revision = (await state.runs.create(run, [started], running))!;
    for (const step of steps) revision = (await state.runs.append(run, revision, [step], running))!;
    return (await state.runs.append(run, revision, [], { status: "parked" }))!;
  };
  /** What another host reads that finds all messages, but the last one, gone. */
  const readOfLast = async (last: number): Promise<readonly HistoryEntry[] | undefined> => {
    const { manager, names } = session;
    await manager.streams.purge(names.runs.stream, { seq: last });
    await state.close();
    session = await on.reopen();
    state = await createNatsState(session);
    return (await state.runs.load(run.id))?.history;
  };

  test("is read by its last message alone, where few things have happened to it", async () => {
    const parked = await park(completed("a", "first"));
    expect(await readOfLast(parked)).toEqual([started, completed("a", "first")]);
    const loaded = (await state.runs.load(run.id))!;
    const taken = (await state.runs.append(run, loaded.revision, [], { status: "running", host: "h" }))!;
    const again = (await state.runs.append(run, taken, [completed("b", "2")], { status: "parked" }))!;
    expect(await readOfLast(again)).toEqual([started, completed("a", "first"), completed("b", "2")]);
  });

  test("is read by all of its messages where one that parks it would be long", async () => {
    const large = completed("a", "x".repeat(5_000));
    const parked = await park(large, completed("b", "2"));
    expect((await state.runs.load(run.id))?.history).toEqual([started, large, completed("b", "2")]);
    expect(await readOfLast(parked)).not.toEqual([started, large, completed("b", "2")]);
  });
});
