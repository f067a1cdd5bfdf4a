import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Problem } from "../errors.ts";
import type { LanguageName } from "../function/language.ts";
import { toComponent } from "./adapt.ts";
import type { BuildCache } from "./build-cache.ts";
import { sha256, takeSnapshot } from "./input-snapshot.ts";
import { type BuiltStep, nameOf, type StepBuilder, type StepToBuild } from "./languages/language.ts";
import { filesOf } from "./source-files.ts";
import type { Lack, ToolchainState } from "./toolchains.ts";

/** Counted up when the same sources and toolchain give another component. */
const format = 1;

/** One call of a toolchain. */
export interface CompileJob extends StepToBuild {
  /** All files of the program that are known before it is compiled, absolute. */
  readonly files: readonly string[];
  /** The .wasm file to write, in a folder that is removed afterwards. */
  readonly output: string;
  readonly folder: string;
  /** A folder in which the toolchain may keep what it made, for all steps of its language. */
  readonly kept: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** What compiling gave; `inputs` are files that it read besides those that were known. */
export type Compiled =
  | { readonly ok: true; readonly inputs?: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A toolchain that was found fit. */
interface Toolchain {
  /** All of it that decides what comes out. */
  readonly version: string;
  /** The same for people, where that is more than they want to read. */
  readonly title?: string;
  compile(job: CompileJob): Promise<Compiled>;
}

/** The toolchain; or what is missing or too old, and the line that installs it. */
type FoundToolchain = { readonly ok: true; readonly toolchain: Toolchain } | Lack;

/** Compiles the steps of one language with a toolchain of the user's. */
export interface Compiler {
  readonly language: LanguageName;
  /** What is in a step's folder may decide for another toolchain; it is looked for once else. */
  readonly perFolder?: boolean;
  /** Looks for the toolchain that builds the steps of a folder. */
  findToolchain(step: StepToBuild, folder: string): Promise<FoundToolchain>;
}

/** A builder on a cache that calls the toolchain only for what has changed. */
export function createCompiledBuilder(cache: BuildCache, compiler: Compiler): StepBuilder {
  async function compiled(
    step: StepToBuild,
    { version, compile }: Toolchain,
    bounds: Pick<CompileJob, "signal" | "timeoutMs">,
  ): Promise<BuiltStep> {
    const name = entryOf(step);
    const builders = JSON.stringify([format, compiler.language, version]);
    const known = await cache.findStep(name, builders);
    if (known !== undefined) return { ok: true, component: known, cached: true };

    const since = performance.timeOrigin + performance.now();
    const files = await filesOf(step.file);
    const before = await cache.inputsOf(name, builders);
    const earlier = before && (await cache.find(await keyOf(step, builders, [...files, ...before])));
    const kept = join(cache.folder, "work", compiler.language);
    await mkdir(kept, { recursive: true });
    const folder = await mkdtemp(join(cache.folder, "making-"));
    try {
      if (earlier !== undefined && before !== undefined) {
        await keep(step, builders, [...files, ...before], since);
        return { ok: true, component: earlier, cached: true };
      }
      const output = join(folder, "step.wasm");
      const result = await compile({ ...step, ...bounds, files, output, folder, kept });
      if (!result.ok) return result;
      const component = await toComponent(await readFile(output));
      if (!component.ok)
        return { ok: false, problems: [{ ...component.problem, file: step.display(step.file) }] };
      const inputs = [...files, ...(result.inputs ?? [])];
      const key = await keyOf(step, builders, inputs);
      const stored = await cache.put(key, component.bytes);
      await keep(step, builders, inputs, since);
      return { ok: true, component: stored, cached: false };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function keep(
    step: StepToBuild,
    builders: string,
    inputs: readonly string[],
    since: number,
  ): Promise<void> {
    const snapshot = await takeSnapshot(step.root, inputs, since);
    const key = await keyOf(step, builders, inputs);
    if (snapshot !== undefined) await cache.putStep(entryOf(step), builders, key, snapshot);
  }

  const found = new Map<string, Promise<FoundToolchain>>();
  async function toolchainOf(step: StepToBuild): Promise<FoundToolchain> {
    const folder = (await stat(step.file)).isDirectory() ? step.file : dirname(step.file);
    const scope = compiler.perFolder === true ? folder : "";
    const known = found.get(scope) ?? compiler.findToolchain(step, folder);
    found.set(scope, known);
    return known;
  }

  return {
    async build(step, bounds = {}) {
      const found = await toolchainOf(step);
      if (found.ok) return compiled(step, found.toolchain, bounds);
      const { code, message } = found;
      return { ok: false, problems: [{ code, message, file: step.display(step.file) }] };
    },
    async close() {},
  };
}

/** Looks for the toolchain of steps that lie in this folder, their project's. */
export async function toolchainState(compiler: Compiler, root: string): Promise<ToolchainState> {
  const found = await compiler.findToolchain({ root, file: root, display: (path) => path }, root);
  if (!found.ok) return found;
  const { version, title = version } = found.toolchain;
  return { ok: true, version: title };
}

/** Under which name the step is kept: what it is granted may decide how it is built. */
function entryOf(step: StepToBuild): string {
  return [nameOf(step), ...(step.grants ?? [])].join("+");
}

/** What a component is called in the cache: the same sources at the same places, by the same builders. */
async function keyOf(step: StepToBuild, builders: string, files: readonly string[]): Promise<string> {
  const unique = [...new Set(files)].toSorted();
  const digests = await Promise.all(
    unique.map(async (file) => [
      relative(step.root, file).replaceAll(sep, "/"),
      sha256(await readFile(file).catch(() => "")),
    ]),
  );
  return sha256(JSON.stringify([builders, entryOf(step), digests]));
}
