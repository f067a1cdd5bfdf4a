import { basename, extname, join } from "node:path";
import { compilerProblems } from "../compiler-problems.ts";
import {
  type Compiled,
  type Compiler,
  type CompileJob,
  createCompiledBuilder,
  toolchainState,
} from "../compiled.ts";
import { readDependencies } from "../depfile.ts";
import { findProgram, runTool } from "../run-tool.ts";
import { exportsHandler, withExtension } from "../source-files.ts";
import { missing } from "../toolchains.ts";
import type { Language, StepToBuild } from "./language.ts";

const cExtensions = [".c"];
const headers = [".h", ".hh", ".hpp"];
const cppExtensions = [".cpp", ".cc", ".cxx"];

/** C and C++: every source in a folder is compiled, and all are linked into one program. */
export const c: Language = {
  name: "c",
  title: "C or C++",
  extensions: [...cExtensions, ...cppExtensions],
  manifests: ["compile_flags.txt"],
  open: async (cache) => createCompiledBuilder(cache, compiler),
  toolchain: (root) => toolchainState(compiler, root),
};

/** A compiler's command; further arguments are put behind. */
interface Driver {
  readonly c: readonly string[];
  readonly cpp: readonly string[];
  readonly version: string;
}

const install = {
  debian: "apt-get install -y clang lld wasi-libc libclang-rt-dev-wasm32 libc++-dev-wasm32",
  macos: "brew install zig",
};

const compiler: Compiler = {
  language: "c",
  async findToolchain(step) {
    const driver = (await wasiSdk(step)) ?? (await clang(step)) ?? (await zig(step));
    if (driver === undefined) {
      const sdk = process.env["WASI_SDK_PATH"];
      const named = sdk ? ` in ${sdk}, which WASI_SDK_PATH names` : "";
      const what = `no C compiler for WASI is here: neither the WASI SDK${named}, nor clang with wasi-libc, nor zig`;
      return missing(what, install);
    }
    const { version } = driver;
    return { ok: true, toolchain: { version, compile: (job) => compile(job, driver) } };
  },
};

/** The SDK that WASI_SDK_PATH names. */
async function wasiSdk(step: StepToBuild): Promise<Driver | undefined> {
  const sdk = process.env["WASI_SDK_PATH"];
  if (sdk === undefined || sdk === "") return undefined;
  const program = await findProgram(["clang"], [join(sdk, "bin")]);
  if (program === undefined || !program.startsWith(sdk)) return undefined;
  const target = "--target=wasm32-wasip1";
  return clangDriver(program, `${program}++`, [target], step);
}

/** A system's clang, if a program for WASI can be linked with it. */
async function clang(step: StepToBuild): Promise<Driver | undefined> {
  const program = await findProgram(["clang"]);
  if (program === undefined) return undefined;
  return clangDriver(program, `${program}++`, ["--target=wasm32-wasi"], step);
}

async function clangDriver(
  program: string,
  plus: string,
  target: readonly string[],
  { root }: StepToBuild,
): Promise<Driver | undefined> {
  const search = await runTool(program, [...target, "-print-file-name=crt1-command.o"], { cwd: root });
  // It repeats a name that it does not find.
  if (search.code !== 0 || !search.stdout.includes("/")) return undefined;
  const { stdout } = await runTool(program, ["--version"], { cwd: root });
  const version = [stdout.split("\n")[0], ...target].join(" ");
  return { c: [program, ...target], cpp: [plus, ...target], version };
}

async function zig({ root }: StepToBuild): Promise<Driver | undefined> {
  const program = await findProgram(["zig", "python-zig"]);
  if (program === undefined) return undefined;
  const { code, stdout } = await runTool(program, ["version"], { cwd: root });
  if (code !== 0) return undefined;
  const command = (name: string): readonly string[] => [program, name, "-target", "wasm32-wasi"];
  return { c: command("cc"), cpp: command("c++"), version: `zig ${stdout.trim()}` };
}

async function compile(job: CompileJob, driver: Driver): Promise<Compiled> {
  const { file, files, folder, output, signal, timeoutMs } = job;
  const isFolder = !files.includes(file);
  const cwd = isFolder ? file : join(file, "..");
  const sources = withExtension(files, [...cExtensions, ...cppExtensions]);
  const flags = files.find((path) => basename(path) === "compile_flags.txt");
  const includes = isFolder ? ["-I", file, "-I", join(file, "include")] : [];
  const inputs = new Set<string>();
  const objects: string[] = [];
  for (const [index, source] of sources.entries()) {
    const isCpp = cppExtensions.includes(extname(source));
    const [program = "", ...first] = isCpp ? driver.cpp : driver.c;
    const object = join(folder, `${index}.o`);
    const own = [...includes, ...(flags === undefined ? [] : [`@${flags}`])];
    // WASI has no exceptions to unwind by; and what is not declared would be missed by the linker, which knows no lines.
    const ownKind = isCpp ? "-fno-exceptions" : "-Werror=implicit-function-declaration";
    const always = ["-O2", "-fdiagnostics-color=never", ownKind];
    const args = [...first, ...always, ...own, "-MMD", "-MF", `${object}.d`, "-c", source, "-o", object];
    const run = await runTool(program, args, { cwd, signal, timeoutMs });
    if (run.code !== 0)
      return { ok: false, problems: compilerProblems(run, basename(program), job, { cwd }) };
    for (const path of await readDependencies(`${object}.d`, cwd)) inputs.add(path);
    objects.push(object);
  }
  const hasCpp = sources.some((source) => cppExtensions.includes(extname(source)));
  const [program = "", ...first] = hasCpp ? driver.cpp : driver.c;
  // What generators of bindings make beside their sources, to say which world it is.
  const described = withExtension(files, [".o"]);
  const model = (await exportsHandler([...sources, ...withExtension(files, headers)]))
    ? ["-mexec-model=reactor"]
    : [];
  const run = await runTool(
    program,
    [...first, "-O2", "-Wl,--strip-debug", ...model, ...objects, ...described, "-o", output],
    {
      cwd,
      signal,
      timeoutMs,
    },
  );
  if (run.code !== 0) return { ok: false, problems: compilerProblems(run, "the linker", job, { cwd }) };
  return { ok: true, inputs: [...inputs] };
}
