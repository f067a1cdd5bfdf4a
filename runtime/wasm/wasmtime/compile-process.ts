/*
 * The process in which binaries are compiled, one after the other: what a hostile one makes of a compiler (hours,
 * gigabytes, a crash) ends here. compiler.ts starts it, asks over its channel, and ends it.
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setPriority } from "node:os";
import type { Binding } from "./binding.ts";
import type { CompileAnswer, CompileRequest, CompilerStart } from "./compiler.ts";

/** How often it is looked at what a compilation has used, in milliseconds. */
const lookMs = 100;

const { addon, fuel, cpuMs, memoryBytes } = JSON.parse(process.argv[2] ?? "") as CompilerStart;
const binding = createRequire(import.meta.url)(addon) as Binding;

behindOthers();
const compiler = new binding.Compiler(fuel);
binding.limitGrowth(memoryBytes);
process.on("message", (request: CompileRequest) => {
  // What happens from here on is the binary's doing.
  answer({});
  void compile(request).then(answer);
});
process.on("disconnect", () => process.exit());
answer({});

function answer(message: CompileAnswer): void {
  process.send?.(message);
}

async function compile({ shape, path, binary }: CompileRequest): Promise<CompileAnswer> {
  const before = process.cpuUsage();
  const look = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 <= cpuMs) return;
    clearInterval(look);
    const text = `The component can't be run: to compile it takes more than ${cpuMs / 1000} s of processor time.`;
    answer({ refused: { code: "ERR_COMPONENT_INVALID", text }, busy: true });
  }, lookMs);
  try {
    const refused = await compiler.compile(shape, path, binary);
    return refused === null ? {} : { refused };
  } finally {
    clearInterval(look);
  }
}

/** Attempts go first where there are too few cores, and hosts stay where there is too little memory. */
function behindOthers(): void {
  try {
    setPriority(5);
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not on every system; compiling works without.
  }
}
