import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { createNatsState } from "../../../host/state/nats.ts";
import { removeFinished } from "../../../host/state/nats-retention.ts";
import { until } from "../broker/broker-contract.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { useInstallation } from "../nats/installation.ts";
import { header, started } from "./state-contract.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("the retention of runs on NATS", () => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll });

  test("removes what finished long ago, and leaves what is under way and what finished since", async () => {
    const on = await installation.open(systemClock);
    const state = await createNatsState(on.session);
    const finish = async (name: string): Promise<void> => {
      const revision = await state.runs.create(header(name), [started], { status: "running" });
      await state.runs.append(header(name), revision!, [], { status: "completed", finishedAt: 1 });
    };
    const left = async (): Promise<string[]> =>
      (await state.runs.query({ limit: 10 })).runs
        .map((run) => run.eventId)
        .toSorted((a, b) => (a < b ? -1 : 1));
    await finish("old");
    const revision = await state.runs.create(header("parked"), [started], { status: "parked" });
    await removeFinished(on.session, Date.now() - 60_000);
    expect(await left()).toEqual(["old", "parked"]);
    const between = Date.now() + 1;
    await until(() => Date.now() > between);
    await finish("new");
    // Finished since, though its history began before.
    await state.runs.append(header("parked"), revision!, [], { status: "completed", finishedAt: 2 });
    await removeFinished(on.session, between);
    expect(await left()).toEqual(["new", "parked"]);
    expect((await state.runs.load(header("parked").id))?.history).toEqual([started]);
    await state.close();
  });

  test("is by a host's own configuration, from its start on", async () => {
    const first = await installation.open(systemClock);
    const state = await createNatsState(first.session);
    const revision = await state.runs.create(header("old"), [started], { status: "running" });
    await state.runs.append(header("old"), revision!, [], { status: "failed", finishedAt: 1 });
    const second = await installation.open(systemClock, { keepRunsMs: 1, prefix: first.prefix });
    const keeping = await createNatsState(second.session);
    await until(async () => (await keeping.runs.load(header("old").id)) === undefined);
    await keeping.close();
    await state.close();
  });
});
