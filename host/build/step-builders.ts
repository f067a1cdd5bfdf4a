import { readFile } from "node:fs/promises";
import { MillraceError } from "../errors.ts";
import type { LanguageName } from "../function/language.ts";
import { parseOciReference } from "../function/oci-reference.ts";
import { toComponent } from "./adapt.ts";
import type { BuildCache } from "./build-cache.ts";
import { createCompiledBuilder } from "./compiled.ts";
import { toolProblem } from "./compiler-problems.ts";
import { sha256 } from "./input-snapshot.ts";
import type { Bounds, BuiltStep, StepBuilder, StepToBuild } from "./languages/language.ts";
import { buildLanguages } from "./languages/languages.ts";
import { runTool } from "./run-tool.ts";
import type { StepSource } from "./step-source.ts";

/** Makes components of steps of every kind. */
export interface StepBuilders {
  build(source: StepSource, step: StepToBuild, bounds: Bounds): Promise<BuiltStep>;
  close(): Promise<void>;
}

/** Builders of all languages on one cache, each opened for its first step. */
export function createStepBuilders(cache: BuildCache): StepBuilders {
  const builders = new Map<LanguageName, Promise<StepBuilder>>();

  function builderOf(language: LanguageName): Promise<StepBuilder> {
    const builder = builders.get(language) ?? buildLanguages[language].open(cache);
    builders.set(language, builder);
    return builder;
  }

  let other: Promise<StepBuilder> | undefined;
  function starlingmonkeyBuilder(): Promise<StepBuilder> {
    other ??= import("./starlingmonkey.ts").then(({ starlingmonkey }) =>
      createCompiledBuilder(cache, starlingmonkey),
    );
    return other;
  }

  /** A file that is there: a component as it is, or one that is made of a core module of the typed world. */
  async function fromFile({ file, display }: StepToBuild, cached: boolean): Promise<BuiltStep> {
    const bytes = await readFile(file);
    const component = { file, sha256: sha256(bytes), size: bytes.length };
    const adapted = await toComponent(bytes);
    if (!adapted.ok) return { ok: false, problems: [{ ...adapted.problem, file: display(file) }] };
    if (adapted.bytes === bytes) return { ok: true, component, cached };
    const key = sha256(JSON.stringify(["adapted", component.sha256]));
    return { ok: true, component: await cache.put(key, adapted.bytes), cached };
  }

  async function fromCommand(
    { text, folder }: NonNullable<StepSource["command"]>,
    step: StepToBuild,
    { signal, timeoutMs }: Bounds,
  ): Promise<BuiltStep> {
    const file = step.display(step.file);
    const [shell = "", ...args] =
      process.platform === "win32" ? ["cmd", "/d", "/s", "/c"] : ["/bin/sh", "-c"];
    const run = await runTool(shell, [...args, text], { cwd: folder, signal, timeoutMs });
    if (run.code !== 0) {
      const problem = toolProblem(run, `the build command \`${text}\``, file);
      return { ok: false, problems: [{ ...problem, code: "ERR_BUILD_COMMAND" }] };
    }
    try {
      return await fromFile(step, false);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      const message = `the build command \`${text}\` ended well and did not write the file at \`path\``;
      return { ok: false, problems: [{ code: "ERR_BUILD_COMMAND", message, file }] };
    }
  }

  /** Pulls a component. One that a digest names is not asked for again; what a tag names is, in each build. */
  async function fromRegistry({ file }: StepToBuild, { signal }: Bounds): Promise<BuiltStep> {
    const reference = parseOciReference(file);
    if ("message" in reference) throw new Error(`${file} was checked: ${reference.message}`);
    try {
      const known =
        reference.digest === undefined ? undefined : await cache.find(artifactKey(reference.digest));
      if (known !== undefined) return { ok: true, component: known, cached: true };
      const { findArtifact } = await import("../oci/artifact.ts");
      const artifact = await findArtifact(reference, { signal });
      const stored = await cache.find(artifactKey(artifact.digest));
      if (stored !== undefined) return { ok: true, component: stored, cached: true };
      const component = await cache.put(artifactKey(artifact.digest), await artifact.bytes());
      return { ok: true, component, cached: false };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MillraceError)) throw error;
      return { ok: false, problems: [{ code: error.code, message: error.message, file }] };
    }
  }

  return {
    async build({ kind, command, interpreter }, step, bounds) {
      if (kind === "oci") return fromRegistry(step, bounds);
      if (command !== undefined) return fromCommand(command, step, bounds);
      if (kind === "wasm" || kind === "command") return fromFile(step, true);
      if (kind === "context" || kind === "folder")
        throw new TypeError(`no Wasm step is built from a ${kind}`);
      const builder = interpreter === undefined ? builderOf(kind) : starlingmonkeyBuilder();
      return (await builder).build(step, bounds);
    },
    async close() {
      for (const builder of [...builders.values(), ...(other === undefined ? [] : [other])]) {
        // One that could not be opened has nothing to close.
        await builder.then(
          (one) => one.close(),
          () => {},
        );
      }
    },
  };
}

/** What the component of an artifact is called in the cache. */
function artifactKey(digest: string): string {
  return sha256(JSON.stringify(["oci", digest]));
}
