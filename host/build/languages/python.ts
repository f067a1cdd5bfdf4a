import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { toolProblem } from "../compiler-problems.ts";
import {
  type Compiled,
  type Compiler,
  type CompileJob,
  createCompiledBuilder,
  toolchainState,
} from "../compiled.ts";
import { guestModule, inputsFile, programGuest, typedGuest } from "../python/guest.ts";
import { wasiCli, worlds } from "../python/world.ts";
import { findProgram, runTool, type ToolRun } from "../run-tool.ts";
import { entryOf, withExtension } from "../source-files.ts";
import { isAtLeast, missing, tooOld } from "../toolchains.ts";
import type { Language, StepToBuild } from "./language.ts";

/** Python: a file, or a folder that begins with main.py; the packages of its .venv that are Python alone. */
export const python: Language = {
  name: "python",
  title: "Python",
  extensions: [".py"],
  manifests: ["pyproject.toml", "requirements.txt"],
  open: async (cache) => createCompiledBuilder(cache, compiler),
  toolchain: (root) => toolchainState(compiler, root),
};

const needed = "0.25";
const install = {
  debian: "apt-get install -y pipx && pipx install componentize-py",
  macos: "brew install pipx && pipx install componentize-py",
};

const compiler: Compiler = {
  language: "python",
  perFolder: true,
  async findToolchain({ root }, folder) {
    const environments = [folder, root].map((place) => join(place, ".venv", "bin"));
    const program = await findProgram(["componentize-py"], environments);
    if (program === undefined)
      return missing("componentize-py is neither on PATH nor in the step's .venv", install);
    const { code, stdout, stderr } = await runTool(program, ["--version"], { cwd: root });
    const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (code !== 0 || version === undefined)
      return missing(`${program} does not run: ${stderr.trim()}`, install);
    if (!isAtLeast(version, needed)) return tooOld("componentize-py", version, needed, install);
    const identity = `componentize-py ${version} ${programGuest("", "")} ${typedGuest("", "")}`;
    const title = `componentize-py ${version}`;
    return { ok: true, toolchain: { version: identity, title, compile: (job) => compile(job, program) } };
  },
};

async function compile(job: CompileJob, program: string): Promise<Compiled> {
  const { root, file, files, folder, output, signal, timeoutMs, display } = job;
  const isFolder = !files.includes(file);
  const entry = isFolder ? entryOf(file, withExtension(files, [".py"])) : file;
  if (entry === undefined) {
    const message = `none of its files begins the program: there is no main.py, nor ${basename(file)}.py`;
    return { ok: false, problems: [{ code: "ERR_BUILD_FAILED", message, file: display(file) }] };
  }
  const own = dirname(entry);
  const isTyped = isTypedStep(await readFile(entry, "utf8"));
  const name = basename(entry, extname(entry));
  const guest = join(folder, "guest");
  const wit = await writeWorlds(join(folder, "wit"));
  await mkdir(guest);
  const text = (isTyped ? typedGuest : programGuest)(name, basename(entry));
  await writeFile(join(guest, `${guestModule}.py`), text);
  const places = [guest, own, ...(await sitePackages([own, root]))];
  const paths = places.flatMap((path) => ["-p", path]);
  const world = `millrace:python/${isTyped ? "typed" : "program"}`;
  const args = ["-d", wit, "-w", world, "componentize", guestModule, ...paths, "-o", output];
  const run = await runTool(program, args, { cwd: folder, env: environment(), signal, timeoutMs });
  if (run.code === 0) return { ok: true, inputs: await loadedFiles(places) };
  return { ok: false, problems: [problemOf(run, own, job)] };
}

/** Only a typed step has something to import from the world's module. */
function isTypedStep(source: string): boolean {
  return /^(?:from|import)\s+wit_world\b/m.test(source) && /^class\s+Handler\b/m.test(source);
}

/** What the builder's variables say is nothing that a component should hold. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

async function writeWorlds(folder: string): Promise<string> {
  const step = createRequire(import.meta.url).resolve("millrace/wit/step.wit");
  const files = [
    ["python.wit", worlds],
    ["deps/cli/cli.wit", wasiCli],
    ["deps/step/step.wit", await readFile(step, "utf8")],
  ] as const;
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

async function sitePackages(places: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const place of new Set(places)) {
    const library = join(place, ".venv", "lib");
    const names = await readdir(library).catch(() => []);
    found.push(
      ...names
        .filter((name) => name.startsWith("python3"))
        .map((name) => join(library, name, "site-packages")),
    );
  }
  return found;
}

/** The files of the step's own, and of packages, that are in the component: the guest sees the nth place as /n. */
async function loadedFiles(places: readonly string[]): Promise<readonly string[]> {
  const told = await readFile(join(places[0] ?? "", inputsFile), "utf8");
  return (JSON.parse(told) as readonly string[]).flatMap((path) => {
    const [, number = "", name = ""] = /^\/(\d+)\/(.+\.py)$/.exec(path) ?? [];
    // The guest itself is in the first one.
    const place = Number(number) > 0 ? places[Number(number)] : undefined;
    return place === undefined ? [] : [join(place, name)];
  });
}

const advices: Readonly<Record<string, string>> = {
  ModuleNotFoundError:
    "python3 -m venv .venv && .venv/bin/pip install … beside the step, a package of Python alone",
  ImportError: "packages with parts in C can't be loaded: take one of Python alone",
};

/** The problem that the guest told of; else what componentize-py said last. */
function problemOf(run: ToolRun, own: string, { display, file }: StepToBuild) {
  const told = /^millrace-problem (?<json>\{.*\})$/m.exec(`${run.stderr}\n${run.stdout}`)?.groups?.["json"];
  if (told === undefined) return toolProblem(run, "componentize-py", display(file));
  const problem = JSON.parse(told) as {
    readonly message: string;
    readonly file: string;
    readonly line: number;
  };
  const [first = "", ...said] = problem.message.split("\n").filter((text) => text.trim() !== "");
  const advice = Object.entries(advices).find(([error]) => first.startsWith(error))?.[1];
  return {
    code: "ERR_BUILD_FAILED",
    message: advice === undefined ? first : `${first.trim()}; ${advice}`,
    file: display(resolve(own, problem.file)),
    line: problem.line,
    ...(said.length > 0 && { said }),
  };
}
