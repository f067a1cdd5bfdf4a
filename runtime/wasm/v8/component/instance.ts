import type { StepWorld } from "../wasi/world.ts";
import { checkAddress } from "./codec.ts";
import type { Canon } from "./codec.ts";
import type { Encoding } from "./definition.ts";
import { createHandleTable } from "./handle-table.ts";
import type { HandleTable } from "./handle-table.ts";
import { Trap } from "./trap.ts";

/** Exports of a core instance. */
export type CoreExports = Readonly<Record<string, unknown>>;

/** One component with all that it nests, instantiated for one attempt. Nothing of it outlives the attempt. */
export interface Instantiation {
  readonly world: StepWorld;
  /** Instances of core modules, in the order in which they are made. */
  readonly core: CoreExports[];
  /** The component instances, by their number. */
  readonly instances: ComponentInstance[];
  /** Makes an instance of the core module with this number. */
  instantiate(module: number, imports: Record<string, CoreExports>): CoreExports;
}

/** The state that the Component Model gives to each component instance. */
export interface ComponentInstance {
  readonly handles: HandleTable;
  /** False while the host runs code of it to pass values: that code may not call out. */
  mayLeave: boolean;
  /** False while a call of it is under way: it can't be entered again. */
  mayEnter: boolean;
}

/** The state of component instance `number`, made when it is first needed. */
export function componentInstance({ instances }: Instantiation, number: number): ComponentInstance {
  return (instances[number] ??= { handles: createHandleTable(number), mayLeave: true, mayEnter: true });
}

/** Something that exists only once an instantiation has got that far. */
export type Late<T> = (instantiation: Instantiation) => T;

/** How a canonical function reaches its guest's memory. */
export interface CanonSite {
  /** The number of the component instance that it belongs to. */
  readonly instance: number;
  readonly encoding: Encoding;
  readonly memory: Late<unknown> | undefined;
  readonly realloc: Late<unknown> | undefined;
}

type Realloc = (old: number, oldBytes: number, align: number, bytes: number) => number;

/** What one call may make of a guest's values in the host's own memory, in bytes. */
const callBudget = 64 * 1024 * 1024;

/** The canonical function's way to its guest in this instantiation. `copies`: the guest runs on before lifted bytes are used. */
export function createCanon(
  instantiation: Instantiation,
  site: CanonSite,
  copies: boolean,
): Canon & { begin(): void } {
  const instance = componentInstance(instantiation, site.instance);
  let memory: { readonly buffer: ArrayBuffer } | undefined;
  let view = new DataView(new ArrayBuffer(0));
  let budget = callBudget;
  const canon: Canon & { begin(): void } = {
    encoding: site.encoding,
    copies,
    handles: instance.handles,
    scope: undefined,
    begin() {
      budget = callBudget;
    },
    charge(bytes) {
      budget -= bytes;
      if (budget < 0) throw new Trap(`a call passes more than ${callBudget} bytes at once`);
    },
    view() {
      memory ??= site.memory?.(instantiation) as typeof memory;
      if (memory === undefined) throw new Trap("a function that passes values in memory has none");
      if (view.buffer !== memory.buffer) view = new DataView(memory.buffer);
      return view;
    },
    allocate(align, bytes) {
      const realloc = site.realloc?.(instantiation) as Realloc | undefined;
      if (realloc === undefined) throw new Trap("a function that takes values in memory has no realloc");
      instance.mayLeave = false;
      const at = realloc(0, 0, align, bytes) >>> 0;
      instance.mayLeave = true;
      checkAddress(canon, at, bytes, align);
      return at;
    },
  };
  return canon;
}
