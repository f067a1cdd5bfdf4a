import { copyFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Problem } from "../../errors.ts";
import { cargoMessages } from "../cargo-messages.ts";
import { toolProblem } from "../compiler-problems.ts";
import {
  type Compiled,
  type Compiler,
  type CompileJob,
  createCompiledBuilder,
  toolchainState,
} from "../compiled.ts";
import { readDependencies } from "../depfile.ts";
import { findProgram, runTool } from "../run-tool.ts";
import { isAtLeast, missing, tooOld } from "../toolchains.ts";
import type { Language } from "./language.ts";

/** Rust: a package of Cargo's, or one file that needs no other. */
export const rust: Language = {
  name: "rust",
  title: "Rust",
  extensions: [".rs"],
  manifests: ["Cargo.toml"],
  open: async (cache) => createCompiledBuilder(cache, compiler),
  toolchain: (root) => toolchainState(compiler, root),
};

/** The first one whose targets have their present names. */
const needed = "1.82";
const install = {
  debian:
    "apt-get install -y rustup (from Debian 13 on; else https://rustup.rs), then " +
    "rustup default stable && rustup target add wasm32-wasip1 wasm32-wasip2",
  macos: "brew install rustup && rustup default stable && rustup target add wasm32-wasip1 wasm32-wasip2",
};

/** For programs: the other one's standard library ends them with 0 or 1, whatever they exit with. */
const forPrograms = "wasm32-wasip1";
/** For libraries, of which the linker makes components. */
const forHandlers = "wasm32-wasip2";

interface Programs {
  readonly cargo: string;
  readonly rustc: string;
  readonly targets: readonly string[];
}

const compiler: Compiler = {
  language: "rust",
  perFolder: true,
  async findToolchain(_, folder) {
    const cargo = await findProgram(["cargo"]);
    const rustc = await findProgram(["rustc"]);
    if (cargo === undefined || rustc === undefined)
      return missing("cargo and rustc are not on PATH", install);
    const verbose = await runTool(rustc, ["-vV"], { cwd: folder });
    const version = /^release: (\S+)/m.exec(verbose.stdout)?.[1];
    if (version === undefined) return missing(`rustc does not run: ${verbose.stderr.trim()}`, install);
    if (!isAtLeast(version, needed)) return tooOld("rustc", version, needed, install);
    const targets: string[] = [];
    for (const target of [forPrograms, forHandlers]) {
      const args = ["--print", "target-libdir", "--target", target];
      const { code, stdout } = await runTool(rustc, args, { cwd: folder });
      if (code === 0 && (await isThere(stdout.trim()))) targets.push(target);
    }
    if (!targets.includes(forPrograms)) {
      return missing(`Rust ${version} has no standard library for ${forPrograms}`, {
        debian: `rustup target add ${forPrograms} ${forHandlers}`,
        macos: `rustup target add ${forPrograms} ${forHandlers}`,
      });
    }
    const programs = { cargo, rustc, targets };
    const identity = `${verbose.stdout.trim()} ${targets.join(" ")}`;
    const title = `rustc ${version} with ${targets.join(" and ")}`;
    return { ok: true, toolchain: { version: identity, title, compile: (job) => compile(job, programs) } };
  },
};

async function compile(job: CompileJob, programs: Programs): Promise<Compiled> {
  return job.files.includes(job.file) ? compileFile(job, programs) : compilePackage(job, programs);
}

/** A file without Cargo, so without dependencies. */
async function compileFile(job: CompileJob, { rustc }: Programs): Promise<Compiled> {
  const { file, folder, output, signal, timeoutMs } = job;
  const cwd = dirname(file);
  const depfile = join(folder, "step.d");
  const args = ["--edition", "2024", "--crate-name", "step", "--crate-type", "bin", "--target", forPrograms];
  const profile = ["-C", "opt-level=s", "-C", "strip=debuginfo", "--error-format", "json"];
  const emit = `--emit=link=${output},dep-info=${depfile}`;
  const run = await runTool(rustc, [...args, ...profile, emit, file], { cwd, signal, timeoutMs });
  if (run.code === 0) return { ok: true, inputs: await readDependencies(depfile, cwd) };
  const messages = run.stderr.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const problems = messages.flatMap(
    (message) => cargoMessages([{ reason: "compiler-message", message }], job, cwd).problems,
  );
  return {
    ok: false,
    problems: problems.length > 0 ? problems : [toolProblem(run, "rustc", job.display(file))],
  };
}

async function compilePackage(job: CompileJob, programs: Programs): Promise<Compiled> {
  const { file, kept, output, signal, timeoutMs } = job;
  const isHandler = await isLibrary(job, programs);
  const target = isHandler && programs.targets.includes(forHandlers) ? forHandlers : forPrograms;
  const env = { ...process.env, CARGO_TARGET_DIR: kept, CARGO_TERM_COLOR: "never" };
  const args = ["build", "--release", "--target", target, "--message-format=json"];
  const run = await runTool(programs.cargo, args, { cwd: file, env, signal, timeoutMs });
  const lines = run.stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const { problems, modules } = cargoMessages(lines, job, file);
  if (run.code !== 0) {
    const all: readonly Problem[] =
      problems.length > 0 ? problems : [toolProblem(run, "cargo build", job.display(file))];
    return { ok: false, problems: all };
  }
  const [made] = modules;
  if (made === undefined || modules.length > 1) {
    // Cargo names them as they are done.
    const names = modules.map((path) => basename(path)).toSorted((a, b) => (a < b ? -1 : 1));
    const what = made === undefined ? "no program" : names.join(" and ");
    const message = `cargo build made ${what}, where a step is one, a binary or a library with crate-type "cdylib"; in a workspace point the path to the package`;
    return { ok: false, problems: [{ code: "ERR_BUILD_FAILED", message, file: job.display(file) }] };
  }
  await copyFile(made, output);
  return { ok: true, inputs: await readDependencies(made.replace(/wasm$/, "d"), file) };
}

/** Whether the package is a library for WebAssembly and no program. */
async function isLibrary({ file, signal }: CompileJob, { cargo }: Programs): Promise<boolean> {
  const args = ["metadata", "--no-deps", "--format-version=1", "--offline"];
  const { code, stdout } = await runTool(cargo, args, { cwd: file, signal });
  // What is wrong with it, the build says better.
  if (code !== 0) return false;
  interface Metadata {
    readonly packages: readonly {
      readonly manifest_path: string;
      readonly targets: readonly { readonly crate_types: readonly string[] }[];
    }[];
  }
  const { packages } = JSON.parse(stdout) as Metadata;
  const own = packages.find(({ manifest_path: path }) => path === join(file, "Cargo.toml"));
  const types = own?.targets.flatMap(({ crate_types: names }) => names) ?? [];
  return types.includes("cdylib") && !types.includes("bin");
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
