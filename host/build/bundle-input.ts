import type { Display } from "./display.ts";
import type { GuestCapability } from "./world.ts";

/** The step to bundle. Paths are absolute. */
export interface BundleInput {
  readonly root: string;
  readonly file: string;
  readonly display: Display;
  /** What the step may ask the host for. */
  readonly grants: readonly GuestCapability[];
  /** What runs it, where that is not QuickJS. */
  readonly engine?: "starling";
}
