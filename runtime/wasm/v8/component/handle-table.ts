import { Trap } from "./trap.ts";

/** A type of resource. Two are the same only if they are the same object. */
export interface ResourceType {
  readonly name: string;
  /** The instance that defines it, by its number; undefined: the host. */
  readonly owner?: number;
}

/** What is lent for the length of one call. */
export interface CallScope {
  /** Handles of the caller that may not go before the call has returned. */
  readonly lent: Handle[];
  /** Handles that the callee got and has not dropped. */
  borrowed: number;
}

interface Handle {
  readonly type: ResourceType;
  /** What stands for the resource: a number of the guest that defines it, or an object of the host. */
  readonly representation: unknown;
  readonly own: boolean;
  /** Calls that it is lent to. */
  lends: number;
  readonly scope?: CallScope | undefined;
}

/** The handles of one component instance. */
export interface HandleTable {
  readonly owner: number;
  add(type: ResourceType, representation: unknown, scope?: CallScope): number;
  get(type: ResourceType, index: number): Handle;
  /** Takes an own handle out; a borrowed one too where `dropping`. */
  remove(type: ResourceType, index: number, dropping: boolean): Handle;
}

/** Handles of one instance at a time. The table lies in the host's own memory. */
const mostHandles = 100_000;

/** An empty table for the component instance `owner`. */
export function createHandleTable(owner: number): HandleTable {
  const handles: (Handle | undefined)[] = [undefined];
  const free: number[] = [];
  const get = (type: ResourceType, index: number): Handle => {
    const handle = handles[index];
    if (handle === undefined) throw new Trap(`there is no resource handle ${index}`);
    if (handle.type !== type)
      throw new Trap(`resource handle ${index} is of type ${handle.type.name}, not ${type.name}`);
    return handle;
  };
  return {
    owner,
    get,
    add(type, representation, scope) {
      const index = free.pop() ?? handles.length;
      if (index > mostHandles) throw new Trap(`more than ${mostHandles} resource handles are in use`);
      handles[index] = { type, representation, own: scope === undefined, lends: 0, scope };
      if (scope !== undefined) scope.borrowed++;
      return index;
    },
    remove(type, index, dropping) {
      const handle = get(type, index);
      if (handle.lends > 0) throw new Trap(`resource handle ${index} is lent to a call`);
      if (!handle.own && !dropping) throw new Trap(`resource handle ${index} is only borrowed`);
      if (handle.scope !== undefined) handle.scope.borrowed--;
      handles[index] = undefined;
      free.push(index);
      return handle;
    },
  };
}

/** Ends what a call borrowed. */
export function endScope(scope: CallScope): void {
  for (const handle of scope.lent) handle.lends--;
  if (scope.borrowed > 0) throw new Trap("a call returned without dropping the handles that it borrowed");
}
