import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { functionDigestOf } from "../../../host/run/run-id.ts";
import { anyRuntime } from "../../../host/nats/names.ts";
import type { Publisher } from "../../../host/nats/publisher.ts";
import { createNatsState } from "../../../host/state/nats.ts";
import type { RunHeader } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { useInstallation } from "../nats/installation.ts";

const program = findNatsServer();
const run: RunHeader = {
  id: "00112233445566778899aabbccddeeff",
  functionId: "f",
  functionVersion: "v1",
  eventId: "e1",
  eventName: "a/b",
  createdAt: 1,
};

describe.skipIf(program === undefined)("the timers of parked runs on NATS", () => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll });

  test("wake a run that is stored after they were due", async () => {
    const on = await installation.open(systemClock);
    const { manager, names, publisher } = on.session;
    const stored = names.run(functionDigestOf(run.id), run.id);
    const wake = names.wake(anyRuntime, run.id);
    const wakes = async (): Promise<number> => {
      const { state } = await manager.streams.info(names.wakes.stream, { subjects_filter: wake });
      return state.subjects?.[wake] ?? 0;
    };
    const late: Publisher = {
      ...publisher,
      async publish(subject, ...rest) {
        if (subject === stored) await until(async () => (await wakes()) > 0);
        return publisher.publish(subject, ...rest);
      },
    };
    const state = await createNatsState({ ...on.session, publisher: late });
    const wakeAt = systemClock.now() + 100;
    await state.runs.create(run, [], { status: "parked", wakeAt });
    await until(async () => (await wakes()) > 1);
    expect((await state.runs.load(run.id))?.wakeAt).toBe(wakeAt);
    await state.close();
    await on.dispose();
  });
});
