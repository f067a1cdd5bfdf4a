/** `npm run bench [-- <name>… | --list] [--json]`: measures, and prints each figure, with its ratio where there is one. */
import { parseArgs } from "node:util";
import type { Figure } from "./figure.ts";

const benches = {
  "v8-instance": () => import("./v8-instance.ts"),
  "sqlite-one-step": () => import("./sqlite-one-step.ts"),
  "sqlite-one-step-quickjs": () => import("./sqlite-one-step-quickjs.ts"),
  bullmq: () => import("./bullmq.ts"),
  "dev-ready": () => import("./dev-ready.ts"),
  "store-growth": () => import("./store-growth.ts"),
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
    const { run } = await benches[name]();
    for (const figure of await run())
      console.log(values.json === true ? JSON.stringify(figure) : line(figure));
  }
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
