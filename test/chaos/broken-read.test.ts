import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../host/clock.ts";
import { MillraceError } from "../../host/errors.ts";
import { readForward } from "../../host/nats/read.ts";
import { openSession, type NatsSession } from "../../host/nats/session.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../host/nats/server.ts";
import { startProxy, type Proxy } from "./proxy.ts";

const program = findNatsServer() ?? "";

describe.skipIf(program === "")("a read in the midst of which the connection is lost", () => {
  let server: NatsServer;
  let proxy: Proxy;
  let session: NatsSession;
  beforeAll(async () => {
    server = await startNatsServer(program);
    proxy = await startProxy(server.port);
    const url = `nats://127.0.0.1:${proxy.port}`;
    session = await openSession(url, { clock: systemClock, name: "reader" });
  });
  afterAll(async () => {
    await session.close();
    await proxy.stop();
    await server.stop();
  });

  test("ends with an error, and the next one succeeds", async () => {
    const { stream } = session.names.events;
    const subject = session.names.event("a/b");
    const payload = "x".repeat(100_000);
    for (let i = 0; i < 30; i += 1) await session.publisher.publish(subject, payload);
    const read = () => readForward(session, stream, { subject, after: 0, limit: 1_000 });
    proxy.cutAfter(1_000_000);
    const error = await read().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(MillraceError);
    expect((error as MillraceError).code).toBe("ERR_STORE_UNAVAILABLE");
    expect((await read()).length).toBe(30);
  });
});
