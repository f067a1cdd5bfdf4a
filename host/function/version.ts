import type { Json } from "../../runtime/json.ts";
import type { FunctionDocument, StepDocument } from "./document.ts";

/** An immutable version of a function: the document and the programs it was built with. */
export interface FunctionVersion {
  readonly functionId: string;
  /** Digest of document and programs: the first 12 hex digits of their sha256. */
  readonly version: string;
  readonly document: FunctionDocument;
  /** Digests (sha256, hex) of the artifacts that steps are run from, by step id: components, for those of runtime wasm. */
  readonly components: Readonly<Record<string, string>>;
  /** Options of steps' runtimes that `push` fixed, by step id, in place of those of the document: a Lambda function's version. */
  readonly pinned?: PinnedOptions;
  readonly createdAt: number;
}

/** Options of steps' runtimes, by step id. */
export type PinnedOptions = Readonly<Record<string, Readonly<Record<string, Json>>>>;

/** Whether a step is run from an artifact, which its version must name. */
export function hasArtifact({
  runtime,
  path,
  invoke,
}: Pick<StepDocument, "runtime" | "path" | "invoke">): boolean {
  if (invoke !== undefined) return false;
  const type = runtime?.type ?? "wasm";
  return type === "wasm" || (type === "docker" && path !== undefined);
}
