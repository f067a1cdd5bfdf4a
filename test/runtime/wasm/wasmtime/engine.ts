import type { Engine } from "../../../../runtime/wasm/engine.ts";
import { createWasmtimeEngine } from "../../../../runtime/wasm/wasmtime/engine.ts";
import type { CompileLimits } from "../../../../runtime/wasm/wasmtime/compiler.ts";
import type { Kept } from "../../../../runtime/wasm/wasmtime/programs.ts";
import { loadBinding } from "../../../../runtime/wasm/wasmtime/load.ts";

const loaded = loadBinding();

/** Why tests of the engine can't run here; undefined: they can. In CI that is no reason to skip them. */
const missing = loaded.ok ? undefined : `${loaded.reason}. Run npm run build:wasmtime.`;

/** True when the tests are to be left out, which is said aloud. */
export const skipped = missing !== undefined && process.env["CI"] === undefined;
// oxlint-disable-next-line no-console -- whoever runs the tests must see it
if (skipped) console.error(`THE TESTS OF WASMTIME ARE SKIPPED: ${missing}`);

/** The engine under test. */
export function createEngine(options: {
  readonly cacheDir: string;
  readonly parallelism?: number;
  readonly fuel?: number;
  readonly kept?: Kept;
  readonly diskBytes?: number;
  readonly compile?: CompileLimits;
}): Engine {
  if (!loaded.ok) throw new Error(missing);
  return createWasmtimeEngine({ binding: loaded.binding, addon: loaded.from, ...options });
}
