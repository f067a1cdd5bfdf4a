import { basename, dirname, join } from "node:path";
import { readdir, rename } from "node:fs/promises";
import { compilerProblems } from "../compiler-problems.ts";
import {
  type Compiled,
  type Compiler,
  type CompileJob,
  createCompiledBuilder,
  toolchainState,
} from "../compiled.ts";
import { findProgram, runTool } from "../run-tool.ts";
import { entryOf, exportsHandler, filesOf, withExtension } from "../source-files.ts";
import { isAtLeast, missing, tooOld } from "../toolchains.ts";
import type { Language } from "./language.ts";

/** Zig: a folder with build.zig, or one that begins with main.zig. */
export const zig: Language = {
  name: "zig",
  title: "Zig",
  extensions: [".zig"],
  manifests: ["build.zig"],
  open: async (cache) => createCompiledBuilder(cache, compiler),
  toolchain: (root) => toolchainState(compiler, root),
};

const needed = "0.16";
const install = { debian: "apt-get install -y pipx && pipx install ziglang", macos: "brew install zig" };

/** Its own 16 MiB are memory that every attempt would have to get; 1 MiB is what Rust takes. */
const stack = ["--stack", "1048576"];

const compiler: Compiler = {
  language: "zig",
  async findToolchain({ root }) {
    const program = await findProgram(["zig", "python-zig"]);
    if (program === undefined) return missing("zig is not on PATH", install);
    const { code, stdout } = await runTool(program, ["version"], { cwd: root });
    const version = stdout.trim();
    if (code !== 0) return missing(`${program} does not run`, install);
    if (!isAtLeast(version, needed)) return tooOld("zig", version, needed, install);
    const title = `zig ${version}`;
    const identity = [title, ...stack].join(" ");
    return { ok: true, toolchain: { version: identity, title, compile: (job) => compile(job, program) } };
  },
};

async function compile(job: CompileJob, program: string): Promise<Compiled> {
  const { file, files, folder, kept, output, signal, timeoutMs } = job;
  const isFolder = !files.includes(file);
  const cwd = isFolder ? file : dirname(file);
  const options = { cwd, signal, timeoutMs, env: { ...process.env, ZIG_LOCAL_CACHE_DIR: kept } };
  const problems = (run: Parameters<typeof compilerProblems>[0]): Compiled => ({
    ok: false,
    problems: compilerProblems(run, "zig", job, { cwd }),
  });
  if (files.some((path) => basename(path) === "build.zig" && dirname(path) === file)) {
    const target = ["-Dtarget=wasm32-wasi", "--release=small"];
    const run = await runTool(program, ["build", ...target, "--prefix", folder], options);
    if (run.code !== 0) return problems(run);
    const made = await wasmIn(join(folder, "bin"));
    if (made.length === 1) {
      await rename(join(folder, "bin", made[0] ?? ""), output);
      return { ok: true };
    }
    const what = made.length === 0 ? "no .wasm file" : made.join(" and ");
    const message = `zig build made ${what} in bin/, where a step is one program`;
    return { ok: false, problems: [{ code: "ERR_BUILD_FAILED", message, file: job.display(file) }] };
  }
  const sources = withExtension(files, [".zig"]);
  const entry = isFolder ? entryOf(file, sources) : file;
  if (entry === undefined) {
    const message = `none of its files begins the program: there is no main.zig, nor ${basename(file)}.zig`;
    return { ok: false, problems: [{ code: "ERR_BUILD_FAILED", message, file: job.display(file) }] };
  }
  // A typed step has no main; what is exported has to be named for the linker.
  const model = (await exportsHandler(sources)) ? ["-fno-entry", "-rdynamic"] : [];
  const args = ["build-exe", "-target", "wasm32-wasi", "-O", "ReleaseSmall", ...stack, ...model];
  const run = await runTool(program, [...args, entry, `-femit-bin=${output}`], options);
  if (run.code !== 0) return problems(run);
  // What a file imports is beside it or below.
  return { ok: true, inputs: isFolder ? [] : withExtension(await filesOf(cwd), [".zig"]) };
}

async function wasmIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".wasm"));
}
