/** `npm run bench [-- <name>… | --list] [--json]`: measures, and prints each figure, with its ratio where there is one. */
import { parseArgs } from "node:util";
import type { Figure } from "./figure.ts";
import { isUnavailable } from "./unavailable.ts";

const benches = {
  "v8-instance": () => import("./v8-instance.ts"),
  "wasmtime-instance": () => import("./wasmtime-instance.ts"),
  "wasmtime-instance-quickjs": () => import("./wasmtime-instance-quickjs.ts"),
  "wasmtime-concurrent": () => import("./wasmtime-concurrent.ts"),
  "first-run": () => import("./first-run.ts"),
  "sandbox-table": () => import("./sandbox-table.ts"),
  "sqlite-one-step": () => import("./sqlite-one-step.ts"),
  "sqlite-one-step-quickjs": () => import("./sqlite-one-step-quickjs.ts"),
  "sqlite-three-steps": () => import("./sqlite-three-steps.ts"),
  bullmq: () => import("./bullmq.ts"),
  restate: () => import("./restate.ts"),
  temporal: () => import("./temporal.ts"),
  "nats-one-step": () => import("./nats-one-step.ts"),
  "nats-three-steps": () => import("./nats-three-steps.ts"),
  "nats-limit": () => import("./nats-limit.ts"),
  "nats-growth": () => import("./nats-growth.ts"),
  "nats-two-hosts": () => import("./nats-two-hosts.ts"),
  runtimes: () => import("./runtimes.ts"),
  languages: () => import("./languages.ts"),
  "dev-ready": () => import("./dev-ready.ts"),
  "store-growth": () => import("./store-growth.ts"),
  waits: () => import("./waits.ts"),
  "waits-growth": () => import("./waits-growth.ts"),
  parked: () => import("./parked.ts"),
  "concurrency-keys": () => import("./concurrency-keys.ts"),
  "timers-burst": () => import("./timers-burst.ts"),
} as const satisfies Record<string, () => Promise<{ run(): Promise<readonly Figure[]> }>>;

type Name = keyof typeof benches;
const names = Object.keys(benches) as Name[];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" } },
});

function line({ bench, figure, value, unit, better, against, ratio }: Figure): string {
  const compared = ratio === undefined ? "" : `   ${ratio.toFixed(2)}× of ${against ?? "the other"}`;
  return `${bench.padEnd(24)} ${figure.padEnd(36)} ${value.toPrecision(4).padStart(10)} ${unit} (${better} is better)${compared}`;
}

async function measureAll(chosen: readonly Name[]): Promise<void> {
  for (const name of chosen) {
    if (values.json !== true) process.stderr.write(`measuring ${name} …\n`);
    try {
      const { run } = await benches[name]();
      print(await run());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      process.stderr.write(`not measured: ${name}: ${error.message}\n`);
      // Who asks for it by name is told; among all the others it is only left out.
      if (positionals.length > 0) process.exitCode = 1;
    }
  }
}

function print(figures: readonly Figure[]): void {
  for (const figure of figures) console.log(values.json === true ? JSON.stringify(figure) : line(figure));
  const settings = new Set(figures.map((figure) => figure.settings).filter((text) => text !== undefined));
  if (values.json !== true) for (const text of settings) console.log(`  measured with ${text}`);
}

const unknown = positionals.filter((name) => !names.includes(name as Name));
if (values.help === true) {
  console.log(
    "npm run bench -- [<name>…] [--list] [--json]\n\nExample: npm run bench -- sqlite-one-step --json",
  );
} else if (values.list === true) {
  console.log(names.join("\n"));
} else if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}; there are ${names.join(", ")}.`);
  process.exitCode = 2;
} else {
  await measureAll(positionals.length === 0 ? names : (positionals as Name[]));
}
