import { relative, sep } from "node:path";
import type { CapabilityName } from "../../../runtime/capabilities.ts";
import type { LanguageName } from "../../function/language.ts";
import type { Problem } from "../../errors.ts";
import type { BuildCache, CachedComponent } from "../build-cache.ts";
import type { Display } from "../display.ts";
import type { ToolchainState } from "../toolchains.ts";

/** A step to build. Paths are absolute. */
export interface StepToBuild {
  /** The project's folder. */
  readonly root: string;
  /** A source file, or the folder of a program. */
  readonly file: string;
  readonly display: Display;
  /** The capabilities that the document of the step grants it. */
  readonly grants?: readonly CapabilityName[];
}

/** A step's name within its project, with forward slashes. */
export function nameOf({ root, file }: StepToBuild): string {
  return relative(root, file).replaceAll(sep, "/");
}

/** What bounds a build: `timeoutMs` is for one step. */
export interface Bounds {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** What building a step gave. */
export type BuiltStep =
  | { readonly ok: true; readonly component: CachedComponent; readonly cached: boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Makes components of the steps of one language. */
export interface StepBuilder {
  /** Throws the signal's reason when it is aborted. */
  build(step: StepToBuild, bounds?: Bounds): Promise<BuiltStep>;
  close(): Promise<void>;
}

/** A language that steps are written in: how its programs are recognised, and who builds them. */
export interface Language {
  readonly name: LanguageName;
  /** For people. */
  readonly title: string;
  /** Of its source files, with the dot, those that are taken first in front. */
  readonly extensions: readonly string[];
  /** Files that make a folder a program of this language. */
  readonly manifests: readonly string[];
  /** A builder that keeps what it makes in a cache. A toolchain is looked for once there is something to build. */
  open(cache: BuildCache): Promise<StepBuilder>;
  /** Looks for what builds the steps of a project's folder; absent: npm brought it. */
  readonly toolchain?: (root: string) => Promise<ToolchainState>;
}
