import { compileFunction } from "node:vm";
import type { Program } from "./protocol.ts";
import type { Imports } from "./wasi/wasi.ts";
import { webAssembly } from "./webassembly.ts";
import type { WasmImports, WasmInstance, WasmModule } from "./webassembly.ts";

/** What a transpiled component exports, as far as steps go. */
export interface ComponentExports {
  readonly [name: string]: { readonly run: (input?: unknown) => unknown };
}

/** Makes a core instance; in place of the plain constructor it can look at what is made. */
export type InstantiateCore = (module: WasmModule, imports?: WasmImports) => WasmInstance;

/** Instantiates a whole component synchronously. Each call is independent of all others. */
export type Instantiate = (
  getCoreModule: (name: string) => WasmModule,
  imports: Imports,
  instantiateCore: InstantiateCore,
) => ComponentExports;

/** A program that is ready to be instantiated in this thread. */
export interface LoadedProgram extends Pick<Program, "key" | "kind" | "mode"> {
  instantiate(imports: Imports, instantiateCore: InstantiateCore): ComponentExports;
}

/** Evaluates a program's JavaScript once, so that attempts only instantiate. */
export function loadProgram({ key, kind, mode, glue, modules }: Program): LoadedProgram {
  // Not an import: what a module loader has loaded it never lets go.
  const evaluate = compileFunction(glue, ["globalThis"], { filename: `${key}.js` }) as (
    scope: object,
  ) => Instantiate;
  // The only global that it looks for by that name; `process.env` would be slow to reach in a worker.
  const instantiate = evaluate({ WebAssembly: webAssembly });
  const byName = new Map(modules.map(({ name, module }) => [name, module]));
  const getCoreModule = (name: string): WasmModule => {
    const module = byName.get(name);
    if (module === undefined) throw new Error(`${key} lacks its core module ${name}`);
    return module;
  };
  return {
    key,
    kind,
    mode,
    instantiate: (imports, instantiateCore) => instantiate(getCoreModule, imports, instantiateCore),
  };
}
