import { readFile } from "node:fs/promises";
import type { StepFailure } from "../../runtime/driver.ts";
import { MillraceError, type Problem } from "../errors.ts";
import type { StepDocument } from "../function/document.ts";
import type { BuildCache } from "./build-cache.ts";
import type { Display } from "./display.ts";
import { sha256 } from "./input-snapshot.ts";
import type { FoundSource, StepSource } from "./step-source.ts";

/** Makes artifacts, which hosts run steps from, of the files of steps: one packer for each runtime that has any. */
export interface Packer {
  /** Its artifacts are the code of functions elsewhere: `push` takes them there, and no host stores them. */
  readonly isPublished?: true;
  /** Finds what a step's path leads to. */
  find(place: StepPlace): Promise<FoundSource>;
  /** Gets ready to pack, for one build of a project. */
  open(cache: BuildCache): Promise<Packing>;
}

/** A step, and where its path begins. */
export interface StepPlace {
  /** The project's folder: a real path. */
  readonly root: string;
  /** The document's folder. */
  readonly folder: string;
  /** Relative to `folder`, with forward slashes. */
  readonly path: string;
  readonly step: StepDocument;
}

/** Packs the sources of one build. */
export interface Packing {
  /** Throws the signal's reason when it is aborted. */
  pack(source: StepSource, options: PackOptions): Promise<Packed>;
  /** Why a step could not be run from the artifact of its source, such as for what it is not granted. */
  refuse?(source: StepSource, artifact: Artifact, step: StepDocument): Promise<Refusal | undefined>;
  close(): Promise<void>;
}

/** How one source is packed. */
export interface PackOptions {
  /** The project's folder: a real path. */
  readonly root: string;
  readonly display: Display;
  readonly signal?: AbortSignal;
  /** Milliseconds that it may take. */
  readonly timeoutMs?: number;
}

/** What packing gave. */
export type Packed =
  | { readonly ok: true; readonly artifact: Artifact; readonly cached: boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What the step's runtime would say. */
type Refusal = Pick<StepFailure, "code" | "message">;

/** What a host runs a step from: a component, or what else its runtime needs. */
export interface Artifact {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Reads it; throws ERR_BUILD_CHANGED when it is no longer what was built. */
  bytes(): Promise<Uint8Array>;
}

/** An artifact that is a file. */
export function fileArtifact(file: string, digest: string, size: number): Artifact {
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
