import type { StepMode } from "../component.ts";
import type { ComponentDefinition } from "./component/definition.ts";
import type { CoreExports, Instantiation } from "./component/instance.ts";
import { linkComponent } from "./component/link.ts";
import type { LinkedComponent } from "./component/link.ts";
import type { FunctionItem } from "./component/scope.ts";
import type { Meter } from "./meter.ts";
import type { Program } from "./protocol.ts";
import { typedSignature } from "./typed-input.ts";
import { createPreview1 } from "./wasi/preview1.ts";
import { createInterfaces } from "./wasi/wasi.ts";
import type { StepWorld } from "./wasi/world.ts";

/** Calls the step's entry: with the record of the typed world, or without anything. */
type Entry = (input?: unknown) => unknown;

/** A program that is ready to be instantiated in this thread. */
export interface LoadedProgram extends Pick<Program, "key" | "mode"> {
  /** A fresh instance with this world alone; what it takes is metered. */
  instantiate(world: StepWorld, meter: Meter): Entry;
}

/** The component has its export, with a type that is not the world's. */
export class ExportMismatch extends Error {}

/** Links a program once, so that attempts only instantiate. */
export function loadProgram(program: Program): LoadedProgram {
  return program.kind === "component" ? loadComponent(program) : loadCommand(program);
}

/** Links a component to the host and finds its entry. Throws for one that can't be run. */
export function linkStep(
  component: ComponentDefinition,
  mode: StepMode,
): { readonly linked: LinkedComponent; readonly entry: FunctionItem } {
  const linked = linkComponent(component, createInterfaces());
  const prefix = mode === "typed" ? "millrace:step/handler@0.1." : "wasi:cli/run@0.2.";
  const [name = "", instance] = [...linked.exports].find(([name]) => name.startsWith(prefix)) ?? [];
  const entry = instance?.is === "instance" ? instance.exports.get("run") : undefined;
  if (entry?.is !== "func") throw new ExportMismatch(`${name || prefix} lacks its function run`);
  const signature = mode === "typed" ? typedSignature : "() -> result";
  if (entry.type.signature !== signature) {
    throw new ExportMismatch(`run of ${name} ${difference(entry.type.signature, signature)}`);
  }
  return { linked, entry };
}

/** Says where one type begins to differ from the one that it must be. */
function difference(type: string, expected: string): string {
  let at = 0;
  while (at < type.length && type[at] === expected[at]) at++;
  const from = Math.max(0, at - 30);
  const excerpt = (text: string): string => {
    const shown = text.slice(from, from + 80);
    return `${from > 0 ? "…" : ""}${shown}${text.length > from + 80 ? "…" : ""}`;
  };
  return `has the type ${excerpt(type)} where the world has ${excerpt(expected)}`;
}

function loadComponent({ key, mode, component, modules }: Program): LoadedProgram {
  const { linked, entry } = linkStep(JSON.parse(component) as ComponentDefinition, mode);
  return {
    key,
    mode,
    instantiate(world, meter) {
      const instantiation: Instantiation = {
        world,
        core: [],
        instances: [],
        instantiate(number, imports): CoreExports {
          const module = modules[number];
          if (module === undefined) throw new Error(`${key} lacks its core module ${number}`);
          return meter.instantiate(module, imports);
        },
      };
      for (const step of linked.steps) step(instantiation);
      return mode === "typed"
        ? (input) => entry.call(instantiation, [input])
        : () => entry.call(instantiation, []);
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
      const exports = meter.instantiate(command, { wasi_snapshot_preview1: preview1 });
      memory = exports["memory"] as { readonly buffer: ArrayBuffer } | undefined;
      const start = exports["_start"] as () => void;
      return () => {
        start();
        // As run() of a component returns that it is done.
        return [0];
      };
    },
  };
}
