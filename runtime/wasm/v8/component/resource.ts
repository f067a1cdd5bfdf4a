import type { Codec } from "./codec.ts";
import type { CallScope, HandleTable, ResourceType } from "./handle-table.ts";

/** Handles that pass their resource on for good. */
export function ownCodec(type: ResourceType): Codec {
  return handleCodec(
    `own<${type.name}>`,
    (table, index) => table.remove(type, index, false).representation,
    (table, representation) => table.add(type, representation),
  );
}

/** Handles that are lent for a call. The instance that defines the type gets what stands for the resource itself. */
export function borrowCodec(type: ResourceType): Codec {
  return handleCodec(
    `borrow<${type.name}>`,
    (table, index, scope) => {
      const handle = table.get(type, index);
      handle.lends++;
      scope?.lent.push(handle);
      return handle.representation;
    },
    (table, representation, scope) =>
      table.owner === type.owner ? (representation as number) : table.add(type, representation, scope),
  );
}

function handleCodec(
  signature: string,
  take: (table: HandleTable, index: number, scope: CallScope | undefined) => unknown,
  give: (table: HandleTable, representation: unknown, scope: CallScope | undefined) => number,
): Codec {
  return {
    size: 4,
    align: 4,
    flat: ["i32"],
    signature,
    load: ({ view, handles, scope }, at) => take(handles, view().getUint32(at, true), scope),
    store: ({ view, handles, scope }, value, at) => view().setUint32(at, give(handles, value, scope), true),
    lift: ({ handles, scope }, values) => take(handles, (values.next() as number) >>> 0, scope),
    lower: ({ handles, scope }, value, into) => into.push(give(handles, value, scope)),
  };
}
