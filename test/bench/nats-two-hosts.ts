import { spawn } from "node:child_process";
import { once } from "node:events";
import { functionVersion } from "../../host/function/define.ts";
import { createNatsBroker } from "../../host/broker/nats.ts";
import { systemClock } from "../../host/clock.ts";
import { openSession } from "../../host/nats/session.ts";
import { createNatsState } from "../../host/state/nats.ts";
import { accept } from "../host/nats/accept.ts";
import type { NatsServer } from "../host/nats/server.ts";
import { type Figure, median } from "./figure.ts";
import { payload } from "./load.ts";
import { published, serverDefaults, withNatsServer } from "./nats-store.ts";

const events = 100_000;
const batch = 500;
const rounds = 3;
/** Messages of a finished one-step run. */
const messagesPerRun = 2;

/** Two host processes against one: how fast they finish runs of events that are stored already. */
export async function run(): Promise<readonly Figure[]> {
  return withNatsServer(async (server) => {
    const speeds = { one: [] as number[], two: [] as number[] };
    for (let i = 0; i < rounds; i += 1) {
      speeds.one.push(await drain(server, 1));
      speeds.two.push(await drain(server, 2));
    }
    return [
      {
        bench: "nats-two-hosts",
        figure: "throughput of two hosts",
        value: median(speeds.two),
        unit: "runs/s",
        against: "one host",
        settings: `${serverDefaults}; two hosts and the server share 2 cores where that is all there is`,
        ratio: median(speeds.two) / median(speeds.one),
        better: "higher",
      },
    ];
  });
}

async function drain(server: NatsServer, hosts: number): Promise<number> {
  const before = await published(server);
  await publishAll(server);
  const done = (before["runs"] ?? 0) + events * messagesPerRun;
  const children = await Promise.all(Array.from({ length: hosts }, (_, n) => startHost(server, `host-${n}`)));
  // From the first host's readiness on: starting a process is not what is measured.
  const begun = performance.now();
  const first = (await published(server))["runs"] ?? 0;
  while (((await published(server))["runs"] ?? 0) < done)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const speed = ((done - first) / messagesPerRun / (performance.now() - begun)) * 1_000;
  await Promise.all(children.map((stop) => stop()));
  return speed;
}

/** Stores the function, and the events while no host is there. */
async function publishAll(server: NatsServer): Promise<void> {
  const session = await openSession(server.url, { clock: systemClock, name: "publisher" });
  const [state, broker] = await Promise.all([createNatsState(session), createNatsBroker(session, accept)]);
  const document = { id: "one-step", triggers: [{ event: "bench/sent" }], steps: { only: {} } };
  const version = functionVersion(document, {}, 0);
  await state.catalog.putVersion(version);
  await state.catalog.activate(version.functionId, version.version, 0);
  for (let n = 0; n < events; n += batch) {
    const inputs = Array.from({ length: batch }, (_, i) => ({ name: "bench/sent", data: payload(n + i) }));
    await broker.publish(inputs.map(accept));
  }
  await broker.close();
  await state.close();
}

async function startHost(server: NatsServer, name: string): Promise<() => Promise<void>> {
  const program = new URL("nats-two-hosts-host.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, server.url, name], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  return async () => {
    child.stdin.end();
    await exited;
  };
}
