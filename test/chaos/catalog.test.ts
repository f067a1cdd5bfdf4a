import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../host/clock.ts";
import { openSession, type NatsSession } from "../../host/nats/session.ts";
import { createNatsState } from "../../host/state/nats.ts";
import type { State } from "../../host/state/state.ts";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { startNatsServer } from "../host/nats/server.ts";
import { versions } from "./functions.ts";

// Leases run out, leaders are found, the client gives up waiting: seconds each, and more on a loaded machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const program = findNatsServer() ?? "";

describe.skipIf(program === "")("the catalog of a host whose watch the server has forgotten", () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  test("takes up what other hosts change, each time", async () => {
    const server = await startNatsServer(program);
    ends.push(() => server.stop());
    const open = async (name: string): Promise<readonly [State, NatsSession]> => {
      const session = await openSession(server.url, { clock: systemClock, name });
      const state = await createNatsState(session);
      ends.push(() => state.close());
      return [state, session];
    };
    const [first] = await open("first");
    const [second, session] = await open("second");
    for (const [index, version] of versions.slice(0, 3).entries()) {
      await first.catalog.putVersion(version);
      await first.catalog.activate(version.functionId, version.version, 0);
      await until(async () => (await second.catalog.active()).length === index + 1);
      await until(() => second.catalog.revision() >= first.catalog.newest());
      // As after the end of the one server of a cluster that had them.
      const stream = `KV_${session.names.catalog}`;
      for await (const { name } of session.manager.consumers.list(stream))
        await session.manager.consumers.delete(stream, name);
    }
    expect((await second.catalog.active()).length).toBe(3);
  });
});
