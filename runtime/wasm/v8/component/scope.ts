import { MalformedBinary } from "../../binary.ts";
import type { ComponentCall, FunctionType } from "./canonical.ts";
import type { Codec } from "./codec.ts";
import type { ComponentDefinition, Declaration, Sort } from "./definition.ts";
import type { CoreExports, Instantiation, Late } from "./instance.ts";
import type { ResourceType } from "./handle-table.ts";

/** A core instance, once there is one. */
export type CoreInstance = Late<CoreExports>;

/** A type, with all that it names resolved. */
export type Type =
  | { readonly is: "value"; readonly codec: Codec }
  | { readonly is: "function"; readonly type: FunctionType }
  | {
      readonly is: "resource";
      readonly resource: ResourceType;
      readonly destroy: ((instantiation: Instantiation, representation: unknown) => void) | undefined;
    }
  | { readonly is: "instance"; readonly declarations: readonly Declaration[]; readonly scope: Scope }
  | { readonly is: "component" };

export interface FunctionItem {
  readonly is: "func";
  readonly type: FunctionType;
  readonly call: ComponentCall;
}

export interface InstanceItem {
  readonly is: "instance";
  readonly exports: ReadonlyMap<string, Item>;
}

interface ComponentItem {
  readonly is: "component";
  readonly component: ComponentDefinition;
  /** Where it is defined, for what it names outside of itself. */
  readonly scope: Scope;
}

/** Anything that a component has a name or an index for. */
export type Item = FunctionItem | InstanceItem | ComponentItem | { readonly is: "type"; readonly type: Type };

/** The index spaces of one component instance, or of an instance's type. */
export interface Scope {
  readonly parent: Scope | undefined;
  /** The component instance's number. */
  readonly number: number;
  readonly func: FunctionItem[];
  readonly type: Type[];
  readonly component: ComponentItem[];
  readonly instance: InstanceItem[];
  readonly core: {
    readonly func: Late<unknown>[];
    readonly table: Late<unknown>[];
    readonly memory: Late<unknown>[];
    readonly global: Late<unknown>[];
    readonly module: number[];
    readonly instance: CoreInstance[];
  };
}

export function createScope(parent: Scope | undefined, number: number): Scope {
  return {
    parent,
    number,
    func: [],
    type: [],
    component: [],
    instance: [],
    core: { func: [], table: [], memory: [], global: [], module: [], instance: [] },
  };
}

/** The item with this index. Throws MalformedBinary when there is none. */
export function lookUp<T>(space: readonly T[], index: number, sort: string): T {
  const item = space[index];
  if (item === undefined) throw new MalformedBinary(`it has no ${sort} ${index}`);
  return item;
}

/** The item of this sort and index. */
export function itemOf(scope: Scope, sort: Sort, index: number): Item {
  switch (sort) {
    case "func":
      return lookUp(scope.func, index, sort);
    case "instance":
      return lookUp(scope.instance, index, sort);
    case "component":
      return lookUp(scope.component, index, sort);
    case "type":
      return { is: "type", type: lookUp(scope.type, index, sort) };
    default:
      throw new MalformedBinary(`it passes on an item of sort ${sort}, which this engine does not support`);
  }
}
