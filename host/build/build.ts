import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { RuntimeName } from "../../runtime/driver.ts";
import type { Problem } from "../errors.ts";
import type { FunctionDocument } from "../function/document.ts";
import { pointerOf } from "../json-pointer.ts";
import { writeAtomically } from "./atomic-file.ts";
import { type BuildCache, openBuildCache } from "./build-cache.ts";
import type { Display } from "./display.ts";
import type { Artifact, Packing } from "./packer.ts";
import { packers } from "./packers.ts";
import type { Project, ProjectFunction } from "./project.ts";
import type { StepSource } from "./step-source.ts";

/** A function with the artifacts of those of its steps that have files. */
export interface BuiltFunction {
  readonly document: FunctionDocument;
  /** The document's file, absolute. */
  readonly file: string;
  /** By step id: what hosts store and run steps from. */
  readonly components: Readonly<Record<string, Artifact>>;
  /** By step id: the code of functions elsewhere, to which `push` takes it. */
  readonly code: Readonly<Record<string, Artifact>>;
}

/** What is going on with one source file, and which steps of which functions are built from it. */
export interface BuildProgress {
  readonly state: "started" | "cached" | "built" | "failed";
  /** As the user would write it. */
  readonly file: string;
  readonly steps: readonly { readonly functionId: string; readonly stepId: string }[];
  /** Not for `started`. */
  readonly ms?: number;
  /** Bytes of the artifact, for `cached` and `built`. */
  readonly size?: number;
}

/** How to build. */
export interface BuildOptions {
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Aborted: the build ends, and throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Artifacts made at once; the number of cores by default. */
  readonly parallelism?: number;
  /** Milliseconds that making one artifact may take: 30,000 by default to load JavaScript, 900,000 for a toolchain. */
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
  | { readonly ok: true; readonly artifact: Artifact }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A source and all steps that are built from it. */
interface Job {
  readonly source: StepSource;
  readonly steps: { readonly functionId: string; readonly stepId: string }[];
  /** The function of each of `steps`. */
  readonly functions: ProjectFunction[];
}

/** Builds the artifacts of all functions of a project; what has not changed comes from the cache. */
export async function buildProject(project: Project, options: BuildOptions = {}): Promise<BuiltProject> {
  const { signal, parallelism = availableParallelism() } = options;
  const jobs = jobsOf(project.functions);
  const folder = options.cacheDir ?? (await ownCache(project.root));
  const cache = await openBuildCache(folder);
  const packings = await openPackings(jobs.values(), cache);
  const results = new Map<string, BuiltSource>();
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal?.throwIfAborted();
      const [key, job] = next;
      const packing = packings.get(job.source.runtime);
      if (packing !== undefined) results.set(key, await runJob(job, project, packing, options));
    }
  };
  // All of them end before this does: an abort must leave no thread behind.
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, parallelism) }, work));
  await Promise.all([...packings.values()].map((packing) => packing.close()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  await cache.prune();
  const problems = [...jobs.keys()].flatMap((key) => problemsOf(results.get(key)));
  return { functions: project.functions.flatMap((one) => builtFunction(one, results)), problems };
}

/** One packing for each runtime that some step needs. */
async function openPackings(
  jobs: Iterable<Job>,
  cache: BuildCache,
): Promise<ReadonlyMap<RuntimeName, Packing>> {
  const packings = new Map<RuntimeName, Packing>();
  for (const { source } of jobs) {
    const packer = packings.has(source.runtime) ? undefined : packers[source.runtime];
    if (packer !== undefined) packings.set(source.runtime, await packer.open(cache));
  }
  return packings;
}

/** What is built once, however many steps have it. */
function keyOf({ runtime, kind, file, interpreter, grants, command, folder }: StepSource): string {
  return JSON.stringify([runtime, kind, file, interpreter, grants, command, folder]);
}

function jobsOf(functions: readonly ProjectFunction[]): ReadonlyMap<string, Job> {
  const jobs = new Map<string, Job>();
  for (const one of functions) {
    const { document, sources } = one;
    for (const [stepId, source] of sources) {
      const key = keyOf(source);
      const job = jobs.get(key) ?? { source, steps: [], functions: [] };
      jobs.set(key, job);
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
  { root, display }: Project,
  packing: Packing,
  { signal, timeoutMs, onProgress }: BuildOptions,
): Promise<BuiltSource> {
  const { source, steps } = job;
  const file = display(source.file);
  const start = performance.now();
  const tell = (progress: Pick<BuildProgress, "state" | "ms" | "size">): void =>
    onProgress?.({ file, steps, ...progress });
  tell({ state: "started" });
  const packed = await packing.pack(source, {
    root,
    display,
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const refused = packed.ok ? await refusals(packed.artifact, job, packing, display) : packed.problems;
  const ms = performance.now() - start;
  if (!packed.ok || refused.length > 0) {
    tell({ state: "failed", ms });
    return { ok: false, problems: refused };
  }
  const { artifact, cached } = packed;
  tell({ state: cached ? "cached" : "built", ms, size: artifact.size });
  return { ok: true, artifact };
}

/** What is wrong with an artifact, at each step that is to run it. */
async function refusals(
  artifact: Artifact,
  { source, steps, functions }: Job,
  packing: Packing,
  display: Display,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [index, { functionId, stepId }] of steps.entries()) {
    const one = functions[index];
    const step = one?.document.steps[stepId];
    if (one === undefined || step === undefined) continue;
    const refusal = await packing.refuse?.(source, artifact, step);
    if (refusal === undefined) continue;
    const pointer = pointerOf(["steps", stepId, "path"]);
    const message = `step ${stepId} of ${functionId} can't run ${display(source.file)}: ${refusal.message}`;
    problems.push({
      code: refusal.code,
      message,
      file: display(one.file),
      pointer,
      ...one.positionOf(pointer),
    });
  }
  return problems;
}

function problemsOf(result: BuiltSource | undefined): readonly Problem[] {
  return result === undefined || result.ok ? [] : result.problems;
}

function builtFunction(
  { document, file, sources }: ProjectFunction,
  results: ReadonlyMap<string, BuiltSource>,
): readonly BuiltFunction[] {
  const components: Record<string, Artifact> = {};
  const code: Record<string, Artifact> = {};
  for (const [stepId, source] of sources) {
    const result = results.get(keyOf(source));
    if (result?.ok !== true) return [];
    const of = packers[source.runtime]?.isPublished === true ? code : components;
    of[stepId] = result.artifact;
  }
  return [{ document, file, components, code }];
}
