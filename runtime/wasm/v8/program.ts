import { compileFunction } from "node:vm";
import type { Footprint } from "./bounds.ts";
import type { Meter } from "./meter.ts";
import type { Program } from "./protocol.ts";
import { createPreview1 } from "./wasi/preview1.ts";
import { createImports } from "./wasi/wasi.ts";
import type { Imports, StepWorld } from "./wasi/wasi.ts";
import { webAssembly } from "./webassembly.ts";
import type { WasmImports, WasmInstance, WasmModule } from "./webassembly.ts";

/** Calls the step's entry: with the record of the typed world, or without anything. */
export type Entry = (input?: unknown) => unknown;

/** A program that is ready to be instantiated in this thread. */
export interface LoadedProgram extends Pick<Program, "key" | "mode"> {
  /** A fresh instance with this world alone; what it takes is metered. */
  instantiate(world: StepWorld, meter: Meter): Entry;
}

type InstantiateCore = (module: WasmModule, imports?: WasmImports) => WasmInstance;

/** What the JavaScript of a transpiled component returns. */
type InstantiateComponent = (
  getCoreModule: (name: string) => WasmModule,
  imports: Imports,
  instantiateCore: InstantiateCore,
) => Readonly<Record<string, { readonly run: Entry }>>;

/** Text that a guest hands to the host at once, in bytes: one string takes that much of the thread's heap. */
const longestText = 16 * 1024 * 1024;

/** Reads text out of a guest's memory: a trap when it is not valid, as the Component Model has it, or too long. */
class GuestTextDecoder {
  readonly #decoder: TextDecoder;

  constructor(encoding = "utf-8") {
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }

  decode(bytes: Uint8Array): string {
    if (bytes.byteLength > longestText)
      throw new TypeError(`text of ${bytes.byteLength} bytes is too long for the host`);
    return this.#decoder.decode(bytes);
  }
}

/** Evaluates a program's JavaScript once, so that attempts only instantiate. */
export function loadProgram(program: Program): LoadedProgram {
  return program.kind === "component" ? loadComponent(program) : loadCommand(program);
}

function loadComponent({ key, mode, glue, modules }: Program): LoadedProgram {
  // Not an import: what a module loader has loaded it never lets go.
  const evaluate = compileFunction(glue, ["globalThis", "TextDecoder"], { filename: `${key}.js` }) as (
    globalThis: object,
    TextDecoder: unknown,
  ) => InstantiateComponent;
  // Of globalThis it wants to know `process.env`, at every call, and that is slow to reach in a worker.
  const instantiate = evaluate({ WebAssembly: webAssembly }, GuestTextDecoder);
  const byName = new Map(modules.map(({ name, module }) => [name, module]));
  const footprints = new Map<WasmModule, Footprint>(
    modules.map(({ module, footprint }) => [module, footprint]),
  );
  const getCoreModule = (name: string): WasmModule => {
    const module = byName.get(name);
    if (module === undefined) throw new Error(`${key} lacks its core module ${name}`);
    return module;
  };
  const prefix = mode === "typed" ? "millrace:step/handler@" : "wasi:cli/run@";
  return {
    key,
    mode,
    instantiate(world, meter) {
      const exports = instantiate(getCoreModule, createImports(world), (module, imports) =>
        meter.instantiate(module, footprints.get(module) ?? { pages: 0, tableElements: 0 }, imports),
      );
      const name = Object.keys(exports).find((name) => name.startsWith(prefix));
      const entry = name === undefined ? undefined : exports[name]?.run;
      if (entry === undefined) throw new Error(`${key} lacks its export ${prefix}`);
      return entry;
    },
  };
}

/** A core module that was built for WASI preview 1 runs as it is. */
function loadCommand({ key, mode, modules }: Program): LoadedProgram {
  const [command] = modules;
  if (command === undefined) throw new Error(`${key} has no module`);
  return {
    key,
    mode,
    instantiate(world, meter) {
      let memory: { readonly buffer: ArrayBuffer } | undefined;
      const preview1 = createPreview1(world, () => {
        if (memory === undefined)
          throw new TypeError("the module calls WASI before or without exporting its memory");
        return memory.buffer;
      });
      const { exports } = meter.instantiate(command.module, command.footprint, {
        wasi_snapshot_preview1: preview1,
      });
      memory = exports["memory"] as { readonly buffer: ArrayBuffer } | undefined;
      return exports["_start"] as Entry;
    },
  };
}
