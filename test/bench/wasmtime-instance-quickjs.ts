import type { Figure } from "./figure.ts";
import { measureInstance, quickjsComponent } from "./wasmtime-instance.ts";

/** A step in JavaScript on QuickJS. */
export async function run(): Promise<readonly Figure[]> {
  return measureInstance("wasmtime-instance-quickjs", await quickjsComponent(), 2_000);
}
