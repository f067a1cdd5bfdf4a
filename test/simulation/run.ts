import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

/** `npm run simulate -- --seed N --seeds M [--trace]`: simulates M seeds from N on; ends with the first that fails. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
});

const from = Number(values.seed);
const to = from + Number(values.seeds);
const started = performance.now();
let last = "";
const sums = { events: 0, runs: 0, executions: 0, tasks: 0, calm: 0, failed: 0 };
for (let seed = from; seed < to; seed++) {
  const report = await simulate(seed, { trace: values.trace });
  last = report.traceHash;
  sums.events += report.events;
  sums.runs += report.runs;
  sums.executions += report.executions;
  sums.tasks += report.tasks;
  sums.calm += report.calm ? 1 : 0;
  if (values.trace) console.log(report.trace.join("\n"));
  if (report.violations.length === 0) continue;
  sums.failed += 1;
  console.log(
    `${report.violations.join("\n")}\nMILLRACE_SEED=${seed} MILLRACE_SEEDS=1 npm test -- test/simulation`,
  );
  process.exitCode = 1;
  if (!values.all) break;
}
console.log(
  JSON.stringify({ ...sums, lastTrace: last, seconds: Math.round(performance.now() - started) / 1_000 }),
);
