/**
 * Runs hosts on real NATS servers, does them harm of every kind in an order that the seed decides, and says what it did
 * and what it found: `npm run chaos -- --minutes N --seed S [--cluster] [--json]`. Exit code 1: an invariant was broken.
 */
import { parseArgs } from "node:util";
import { seeded, type Below } from "../random.ts";
import { installNatsServer } from "../host/nats/find-server.ts";
import { faults, type Fault } from "./faults.ts";
import { pause } from "./insist.ts";
import { startPublisher } from "./publisher.ts";
import { startWorld, type World } from "./world.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    cluster: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    /** Only faults whose names contain this. */
    only: { type: "string", default: "" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new TypeError("--minutes takes a number above 0, --seed a whole number");
}

const began = performance.now();
function say(what: string, more: object = {}): void {
  const at = Math.round(performance.now() - began);
  const line = values.json
    ? JSON.stringify({ at, what, ...more })
    : `${(at / 1_000).toFixed(1).padStart(7)} s  ${what}`;
  process.stdout.write(`${line}\n`);
}

/** One fault after the other, to hosts or to servers. */
async function harm(world: World, to: Fault["to"], random: Below): Promise<void> {
  const fitting = faults.filter(
    (fault) =>
      fault.to === to &&
      fault.name.includes(values.only) &&
      (fault.cluster !== true || world.servers.length > 1),
  );
  const until = performance.now() + minutes * 60_000;
  while (fitting.length > 0 && performance.now() < until) {
    await fitting[random(fitting.length)]?.happen(world, { random, say });
    await pause(random(4_000));
  }
}

const world = await startWorld({
  program: installNatsServer(),
  servers: values.cluster ? 3 : 1,
  hosts: 3,
});
try {
  const { hosts, client, prefix } = world;
  say(`${hosts.length} hosts on ${world.servers.length} servers, seed ${seed}`);
  const publisher = startPublisher({
    hosts,
    client,
    prefix,
    label: "chaos",
    random: seeded(seed + 1),
    senders: 6,
    pauseMs: 40,
  });
  await Promise.all([harm(world, "hosts", seeded(seed)), harm(world, "servers", seeded(seed + 2))]);
  say("no more faults");
  await publisher.stop();
  const refused = Object.fromEntries(publisher.refused);
  say(`${publisher.acknowledged.size} events acknowledged; refused: ${JSON.stringify(refused)}`, { refused });
  const { broken, ...counts } = await world.settle(publisher.acknowledged);
  for (const what of broken.slice(0, 50)) say(`BROKEN ${what}`);
  say(`${counts.runs} runs, ${counts.repeated} executions repeated, ${broken.length} invariants broken`, {
    ...counts,
    broken: broken.length,
  });
  if (broken.length > 0) process.exitCode = 1;
} finally {
  await world.stop();
}
