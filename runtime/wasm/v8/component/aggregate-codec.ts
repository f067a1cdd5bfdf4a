import { alignTo, checkAddress, mostFlat, spell } from "./codec.ts";
import type { Canon, Codec, CoreType } from "./codec.ts";

/** What an element of a list or a field costs the host, in bytes, about. */
const elementBytes = 64;

function flatten(parts: readonly Codec[]): readonly CoreType[] | undefined {
  const flat: CoreType[] = [];
  for (const part of parts) {
    if (part.flat === undefined || flat.length + part.flat.length > mostFlat) return undefined;
    flat.push(...part.flat);
  }
  return flat;
}

/** Records and tuples; records are told apart by the names of their fields. */
export function tupleCodec(parts: readonly Codec[], labels?: readonly string[]): Codec {
  const align = Math.max(1, ...parts.map((part) => part.align));
  let end = 0;
  const offsets = parts.map((part) => {
    const at = alignTo(end, part.align);
    end = at + part.size;
    return at;
  });
  const fields = parts.map(({ signature }, index) => (labels ? `${labels[index]}: ${signature}` : signature));
  return {
    size: alignTo(end, align),
    align,
    flat: flatten(parts),
    signature: labels ? spell("record{", fields, "}") : spell("tuple<", fields, ">"),
    load(canon, at) {
      canon.charge(parts.length * elementBytes);
      return parts.map((part, index) => part.load(canon, at + (offsets[index] ?? 0)));
    },
    store(canon, value, at) {
      for (const [index, part] of parts.entries()) {
        part.store(canon, (value as readonly unknown[])[index], at + (offsets[index] ?? 0));
      }
    },
    lift: (canon, values) => parts.map((part) => part.lift(canon, values)),
    lower(canon, value, into) {
      for (const [index, part] of parts.entries())
        part.lower(canon, (value as readonly unknown[])[index], into);
    },
  };
}

/** Lists. */
export function listCodec(element: Codec): Codec {
  const bytes = element.signature === "u8";
  const read = (canon: Canon, pointer: number, length: number): unknown => {
    checkAddress(canon, pointer, length * element.size, element.align);
    canon.charge(bytes && !canon.copies ? 0 : length * (bytes ? 1 : elementBytes));
    if (bytes) {
      const view = new Uint8Array(canon.view().buffer, pointer, length);
      return canon.copies ? view.slice() : view;
    }
    return Array.from({ length }, (_, index) => element.load(canon, pointer + index * element.size));
  };
  const write = (canon: Canon, value: ArrayLike<unknown>): readonly [pointer: number, length: number] => {
    const size = value.length * element.size;
    const pointer = canon.allocate(element.align, size);
    if (bytes) new Uint8Array(canon.view().buffer, pointer, size).set(value as Uint8Array);
    else
      for (let index = 0; index < value.length; index++)
        element.store(canon, value[index], pointer + index * element.size);
    return [pointer, value.length];
  };
  return {
    size: 8,
    align: 4,
    flat: ["i32", "i32"],
    signature: spell("list<", [element.signature], ">"),
    load: (canon, at) => read(canon, canon.view().getUint32(at, true), canon.view().getUint32(at + 4, true)),
    store(canon, value, at) {
      const [pointer, length] = write(canon, value as ArrayLike<unknown>);
      canon.view().setUint32(at, pointer, true);
      canon.view().setUint32(at + 4, length, true);
    },
    lift(canon, values) {
      const pointer = (values.next() as number) >>> 0;
      return read(canon, pointer, (values.next() as number) >>> 0);
    },
    lower: (canon, value, into) => into.push(...write(canon, value as ArrayLike<unknown>)),
  };
}
