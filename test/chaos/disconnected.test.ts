import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../host/clock.ts";
import { createHost, type Host } from "../../host/index.ts";
import { createLeasedFeed } from "../../host/nats/leased-feed.ts";
import { openSession, type NatsSession } from "../../host/nats/session.ts";
import { createNatsState } from "../../host/state/nats.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../host/nats/server.ts";
import { header, started } from "../host/state/state-contract.ts";
import { inProcessDrivers } from "../host/in-process-driver.ts";
import { insist } from "./insist.ts";
import { startProxy, type Proxy } from "./proxy.ts";

// Leases run out, leaders are found, the client gives up waiting: seconds each, and more on a loaded machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const program = findNatsServer() ?? "";

describe.skipIf(program === "")("a host that can't reach its server", () => {
  let server: NatsServer;
  let proxy: Proxy;
  let url: string;
  let prefixes = 0;
  beforeAll(async () => {
    server = await startNatsServer(program);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    prefixes += 1;
    proxy = await startProxy(server.port);
    url = `nats://127.0.0.1:${proxy.port}`;
  });
  afterEach(() => proxy.stop());

  const session = (): Promise<NatsSession> =>
    openSession(url, { clock: systemClock, name: "first", prefix: `d${prefixes}`, leaseMs: 1_500 });

  test.each(["close", "halt"] as const)("closes all the same (%s)", async (how) => {
    const host: Host = await createHost({
      store: url,
      nats: { prefix: `d${prefixes}`, leaseMs: 60_000 },
      drivers: inProcessDrivers({}),
    });
    proxy[how]();
    await host.close();
  });

  test("knows an append again that was stored although no answer came", async () => {
    const state = await createNatsState(await session());
    const run = header("e1");
    const running = { status: "running", host: "first" } as const;
    const revision = await state.runs.create(run, [started], running);
    // What goes out is stored; what comes back is held up until the connection is given up.
    proxy.haltAnswers();
    const append = () => state.runs.append(run, revision!, [], running);
    await expect(append()).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
    proxy.mend();
    proxy.cut();
    const next = await insist(append);
    expect(next).toBeGreaterThan(revision!);
    expect((await state.runs.load(run.id))?.revision).toBe(next);
    await state.close();
  });

  test("asks a consumer that is gone with no haste", async () => {
    const on = await session();
    let tick: (() => void) | undefined;
    const still = {
      ...on,
      clock: { now: () => 0, schedule: (_: number, then: () => void) => ((tick = then), () => undefined) },
    };
    const feed = createLeasedFeed(still, {
      stream: on.names.events.stream,
      consumer: "none",
      maxInFlight: 10,
      handle: async () => "done",
    });
    for (let i = 0; i < 5; i += 1) await on.connection.flush();
    const { outMsgs } = on.connection.stats();
    for (let i = 0; i < 20; i += 1) await on.connection.flush();
    expect(on.connection.stats().outMsgs).toBe(outMsgs);
    // Its time has come: it asks again.
    tick?.();
    expect(on.connection.stats().outMsgs).toBe(outMsgs + 1);
    await feed.close();
    await on.close();
  });
});
