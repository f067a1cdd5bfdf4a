import { mkdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Capabilities } from "../../runtime/capabilities.ts";
import { inspectStep } from "../../runtime/wasm/grants.ts";
import { normalCapabilities } from "../function/capabilities.ts";
import { MillraceError, type Problem } from "../errors.ts";
import type { FunctionDocument } from "../function/document.ts";
import { pointerOf } from "../json-pointer.ts";
import { writeAtomically } from "./atomic-file.ts";
import { openBuildCache } from "./build-cache.ts";
import { sha256 } from "./input-snapshot.ts";
import { createJavascriptBuilder, type JavascriptBuilder } from "./javascript.ts";
import type { Project, ProjectFunction } from "./project.ts";
import type { StepSource } from "./step-source.ts";

/** A function with the components of its steps of runtime wasm. */
export interface BuiltFunction {
  readonly document: FunctionDocument;
  /** The document's file, absolute. */
  readonly file: string;
  /** By step id. */
  readonly components: Readonly<Record<string, BuiltComponent>>;
}

/** A component, on disk. */
interface BuiltComponent {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Reads it; throws ERR_BUILD_CHANGED when it is no longer what was built. */
  bytes(): Promise<Uint8Array>;
}

/** What is going on with one source file, and which steps of which functions are built from it. */
export interface BuildProgress {
  readonly state: "started" | "cached" | "built" | "failed";
  /** As the user would write it. */
  readonly file: string;
  readonly steps: readonly { readonly functionId: string; readonly stepId: string }[];
  /** Not for `started`. */
  readonly ms?: number;
  /** Bytes of the component, for `cached` and `built`. */
  readonly size?: number;
}

/** How to build. */
export interface BuildOptions {
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Aborted: the build ends, and throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Components made at once; the number of cores by default. */
  readonly parallelism?: number;
  /** Milliseconds that making one component may take; 30,000 by default. */
  readonly timeoutMs?: number;
  /** Where components are kept; `.millrace/cache/build` in the project by default. */
  readonly cacheDir?: string;
}

/** What building a project gave. A function of which a step has a problem is not among `functions`. */
export interface BuiltProject {
  readonly functions: readonly BuiltFunction[];
  /** Those of the build alone: the project's own are in `project.problems`. */
  readonly problems: readonly Problem[];
}

type BuiltSource =
  | { readonly ok: true; readonly component: BuiltComponent }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A source file and all steps that are built from it. */
interface Job {
  readonly source: StepSource;
  readonly steps: { readonly functionId: string; readonly stepId: string }[];
  /** The function of each of `steps`. */
  readonly functions: ProjectFunction[];
}

/** Builds the components of all functions of a project; what has not changed comes from the cache. */
export async function buildProject(project: Project, options: BuildOptions = {}): Promise<BuiltProject> {
  const { signal, parallelism = availableParallelism() } = options;
  const jobs = jobsOf(project.functions);
  const folder = options.cacheDir ?? (await ownCache(project.root));
  const cache = await openBuildCache(folder);
  const javascript = await createJavascriptBuilder(cache);
  const results = new Map<string, BuiltSource>();
  const queue = [...jobs.values()];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      signal?.throwIfAborted();
      results.set(job.source.file, await runJob(job, project, javascript, options));
    }
  };
  // All of them end before this does: an abort must leave no thread behind.
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, parallelism) }, work));
  await javascript.close();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  await cache.prune();
  const problems = [...jobs.keys()].flatMap((file) => problemsOf(results.get(file)));
  return { functions: project.functions.flatMap((one) => builtFunction(one, results)), problems };
}

function jobsOf(functions: readonly ProjectFunction[]): ReadonlyMap<string, Job> {
  const jobs = new Map<string, Job>();
  for (const one of functions) {
    const { document, sources } = one;
    for (const [stepId, source] of sources) {
      const job = jobs.get(source.file) ?? { source, steps: [], functions: [] };
      jobs.set(source.file, job);
      job.steps.push({ functionId: document.id, stepId });
      job.functions.push(one);
    }
  }
  return jobs;
}

/** The project's own cache, kept out of version control. */
async function ownCache(root: string): Promise<string> {
  const folder = join(root, ".millrace");
  await mkdir(folder, { recursive: true });
  await writeAtomically(join(folder, ".gitignore"), "*\n");
  return join(folder, "cache", "build");
}

async function runJob(
  job: Job,
  project: Project,
  javascript: JavascriptBuilder,
  { signal, timeoutMs, onProgress }: BuildOptions,
): Promise<BuiltSource> {
  const { source, steps } = job;
  const file = project.display(source.file);
  const start = performance.now();
  const tell = (progress: Pick<BuildProgress, "state" | "ms" | "size">): void =>
    onProgress?.({ file, steps, ...progress });
  tell({ state: "started" });
  if (source.kind === "wasm") {
    const bytes = await readFile(source.file);
    const problems = refusals(bytes, job, project);
    const ms = performance.now() - start;
    if (problems.length > 0) {
      tell({ state: "failed", ms });
      return { ok: false, problems };
    }
    tell({ state: "cached", ms, size: bytes.length });
    return { ok: true, component: fileComponent(source.file, sha256(bytes), bytes.length) };
  }
  const built = await javascript.build(
    { root: project.root, file: source.file, display: project.display },
    { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
  );
  const ms = performance.now() - start;
  if (!built.ok) {
    tell({ state: "failed", ms });
    return built;
  }
  const { cached } = built;
  const component = fileComponent(built.component.file, built.component.sha256, built.component.size);
  const problems = refusals(await component.bytes(), job, project);
  if (problems.length > 0) {
    tell({ state: "failed", ms });
    return { ok: false, problems };
  }
  tell({ state: cached ? "cached" : "built", ms, size: component.size });
  return { ok: true, component };
}

/** What is wrong with a component, at each step that is to run it: their capabilities may differ. */
function refusals(
  bytes: Uint8Array,
  { source, steps, functions }: Job,
  { display }: Project,
): readonly Problem[] {
  return steps.flatMap(({ functionId, stepId }, index) => {
    const one = functions[index];
    if (one === undefined) return [];
    const inspection = inspectStep(bytes, capabilitiesOf(one.document, stepId));
    if (!("code" in inspection)) return [];
    const { code, message } = inspection;
    const pointer = pointerOf(["steps", stepId, "path"]);
    const step = `step ${stepId} of ${functionId} can't run ${display(source.file)}`;
    return [
      {
        code,
        message: `${step}: ${message}`,
        file: display(one.file),
        pointer,
        ...one.positionOf(pointer),
      },
    ];
  });
}

function capabilitiesOf({ steps }: FunctionDocument, stepId: string): Capabilities {
  return normalCapabilities((Object.hasOwn(steps, stepId) ? steps[stepId] : undefined)?.capabilities ?? {});
}

function fileComponent(file: string, digest: string, size: number): BuiltComponent {
  return {
    sha256: digest,
    size,
    async bytes() {
      const bytes = await readFile(file).catch(() => undefined);
      if (bytes !== undefined && sha256(bytes) === digest) return bytes;
      throw new MillraceError("ERR_BUILD_CHANGED", `${file} is no longer what was built.`);
    },
  };
}

function problemsOf(result: BuiltSource | undefined): readonly Problem[] {
  return result === undefined || result.ok ? [] : result.problems;
}

function builtFunction(
  { document, file, sources }: ProjectFunction,
  results: ReadonlyMap<string, BuiltSource>,
): readonly BuiltFunction[] {
  const components: Record<string, BuiltComponent> = {};
  for (const [stepId, source] of sources) {
    const result = results.get(source.file);
    if (result?.ok !== true) return [];
    components[stepId] = result.component;
  }
  return [{ document, file, components }];
}
