import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runFuzz } from "./fuzz-target.ts";

/*
 * `npm run fuzz -- --engine E --count N --seed S`: N mutated binaries, documents and events, each of which must end in a result or
 * in a failure with its code. They run in a child process: this one sees it crash or hang, and says at which case.
 * `--first I --count 1` runs one again.
 */

/** No case takes longer than this, in milliseconds. */
const longestCaseMs = 20_000;

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "v8" },
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    child: { type: "boolean", default: false },
  },
});
const engine = values.engine === "wasmtime" ? "wasmtime" : "v8";
if (engine !== values.engine) throw new Error(`--engine is v8 or wasmtime, not ${values.engine}`);
const range = {
  engine,
  seed: Number(values.seed),
  first: Number(values.first),
  count: Number(values.count),
} as const;

if (values.child) await runFuzz({ ...range, progress: 3 });
else await watch();

async function watch(): Promise<void> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), "--child", ...process.argv.slice(2)],
    {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    },
  );
  let cases = 0;
  let hung = false;
  let timer: NodeJS.Timeout | undefined;
  const expect = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, longestCaseMs);
  };
  expect();
  child.stdio[3]?.on("data", (bytes: Buffer) => {
    cases += bytes.length;
    expect();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${cases} cases in ${seconds.toFixed(1)} s, ${Math.round(cases / seconds)} a second, on ${engine}, seed ${range.seed}`,
  );
  if (code === 0 && cases === range.count) return;
  const which = range.first + Math.max(0, cases - 1);
  console.error(
    `${hung ? "It hangs" : "It fails"} at case ${which}: npm run fuzz -- --engine ${engine} --seed ${range.seed} --first ${which} --count 1`,
  );
  process.exitCode = 1;
}
