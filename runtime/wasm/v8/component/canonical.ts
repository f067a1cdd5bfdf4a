import { checkAddress, mostFlat } from "./codec.ts";
import type { Canon, Codec, CoreValue, CoreValues } from "./codec.ts";
import { componentInstance, createCanon } from "./instance.ts";
import type { CanonSite, Instantiation, Late } from "./instance.ts";
import { endScope } from "./handle-table.ts";
import type { CallScope, ResourceType } from "./handle-table.ts";
import { Trap } from "./trap.ts";

/** The type of a component's function. */
export interface FunctionType {
  /** All parameters as one tuple. */
  readonly params: Codec;
  /** Whether calls of this type lend resources. */
  readonly lends: boolean;
  readonly result: Codec | undefined;
  /** The types, spelt out. */
  readonly signature: string;
}

/** Calls a component's function, or the host's, with values as codecs have them. */
export type ComponentCall = (instantiation: Instantiation, args: readonly unknown[]) => unknown;

type CoreFunction = (...args: CoreValue[]) => CoreValue | undefined;

function valuesOf(values: readonly CoreValue[]): CoreValues {
  let index = 0;
  return { next: () => values[index++] ?? 0 };
}

/** canon lift: a core function as a function of the component. */
export function liftFunction(
  type: FunctionType,
  site: CanonSite,
  core: Late<unknown>,
  postReturn: Late<unknown> | undefined,
): ComponentCall {
  const { params, lends } = type;
  return (instantiation, args) => {
    const instance = componentInstance(instantiation, site.instance);
    if (!instance.mayEnter)
      throw new Trap("a component instance was entered while a call of it is under way");
    instance.mayEnter = false;
    const canon = createCanon(instantiation, site, true);
    const scope: CallScope | undefined = lends ? { lent: [], borrowed: 0 } : undefined;
    canon.scope = scope;
    const flat: CoreValue[] = [];
    if (params.flat !== undefined) params.lower(canon, args, flat);
    else {
      const at = canon.allocate(params.align, params.size);
      params.store(canon, args, at);
      flat.push(at | 0);
    }
    const returned = (core(instantiation) as CoreFunction)(...flat);
    const result = type.result && liftResult(canon, type.result, returned ?? 0);
    if (scope !== undefined) endScope(scope);
    if (postReturn !== undefined) {
      instance.mayLeave = false;
      (postReturn(instantiation) as CoreFunction)(...(returned === undefined ? [] : [returned]));
      instance.mayLeave = true;
    }
    instance.mayEnter = true;
    return result;
  };
}

/** A result of at most one core value is returned; others lie in memory. */
function liftResult(canon: Canon, codec: Codec, returned: CoreValue): unknown {
  if (codec.flat !== undefined && codec.flat.length <= 1) return codec.lift(canon, valuesOf([returned]));
  const at = (returned as number) >>> 0;
  checkAddress(canon, at, codec.size, codec.align);
  return codec.load(canon, at);
}

/** canon lower: a function of the component, or of the host, as a core function. */
export function lowerFunction(type: FunctionType, site: CanonSite, call: ComponentCall): Late<CoreFunction> {
  const { params, lends, result } = type;
  const inMemory = params.flat === undefined || params.flat.length > mostFlat;
  const returnsFlat = result?.flat !== undefined && result.flat.length <= 1;
  return (instantiation) => {
    const instance = componentInstance(instantiation, site.instance);
    let made: ReturnType<typeof createCanon> | undefined;
    const lowered: CoreFunction = (...core) => {
      if (!instance.mayLeave)
        throw new Trap("a component instance called out while values were passed to it");
      // Most of what a guest imports it does not call.
      const canon = (made ??= createCanon(instantiation, site, false));
      canon.begin();
      const scope: CallScope | undefined = lends ? { lent: [], borrowed: 0 } : undefined;
      canon.scope = scope;
      let args: readonly unknown[];
      if (inMemory) {
        const at = (core[0] as number) >>> 0;
        checkAddress(canon, at, params.size, params.align);
        args = params.load(canon, at) as readonly unknown[];
      } else args = params.lift(canon, valuesOf(core)) as readonly unknown[];
      const value = call(instantiation, args);
      if (scope !== undefined) endScope(scope);
      if (result === undefined) return undefined;
      if (returnsFlat) {
        const flat: CoreValue[] = [];
        result.lower(canon, value, flat);
        return flat[0];
      }
      const at = (core.at(-1) as number) >>> 0;
      checkAddress(canon, at, result.size, result.align);
      result.store(canon, value, at);
      return undefined;
    };
    return telling(instantiation, lowered);
  };
}

/** A guest can catch what is thrown at it here: the attempt hears of it, and is over all the same. */
function telling({ world }: Instantiation, call: CoreFunction): CoreFunction {
  return (...core) => {
    try {
      return call(...core);
    } catch (error) {
      world.threw(error);
      throw error;
    }
  };
}

/** canon resource.new, drop and rep: what a guest does with the handles of a type. */
export function resourceFunction(
  operation: "new" | "drop" | "rep",
  type: ResourceType,
  destroy: ((instantiation: Instantiation, representation: unknown) => void) | undefined,
  instance: number,
): Late<CoreFunction> {
  return (instantiation) => {
    const state = componentInstance(instantiation, instance);
    const { handles } = state;
    switch (operation) {
      case "new":
        return telling(instantiation, (representation) => handles.add(type, representation));
      case "rep":
        return telling(
          instantiation,
          (index) => handles.get(type, (index as number) >>> 0).representation as number,
        );
      default:
        return telling(instantiation, (index) => {
          if (!state.mayLeave)
            throw new Trap("a component instance dropped a handle while values were passed to it");
          const { own, representation } = handles.remove(type, (index as number) >>> 0, true);
          if (own) destroy?.(instantiation, representation);
          return undefined;
        });
    }
  };
}
