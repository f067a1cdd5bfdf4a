import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../host/clock.ts";
import { openSession } from "../../host/nats/session.ts";
import { createNatsState } from "../../host/state/nats.ts";
import type { State } from "../../host/state/state.ts";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { startNatsServer } from "../host/nats/server.ts";
import { versions } from "./functions.ts";
import { insist } from "./insist.ts";

const program = findNatsServer() ?? "";

describe.skipIf(program === "")("the catalog of a host whose server was killed and came back", () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  test("takes up what other hosts change, each time", async () => {
    const server = await startNatsServer(program);
    ends.push(() => server.stop());
    const open = async (name: string): Promise<State> => {
      const state = await createNatsState(await openSession(server.url, { clock: systemClock, name }));
      ends.push(() => state.close());
      return state;
    };
    const [first, second] = [await open("first"), await open("second")];
    for (const [index, version] of versions.slice(0, 3).entries()) {
      await insist(() => first.catalog.putVersion(version));
      await insist(() => first.catalog.activate(version.functionId, version.version));
      await until(async () => (await second.catalog.active()).length === index + 1);
      await until(() => second.catalog.revision() >= first.catalog.newest());
      await server.kill();
      await server.start();
    }
    expect((await second.catalog.active()).length).toBe(3);
  });
});
