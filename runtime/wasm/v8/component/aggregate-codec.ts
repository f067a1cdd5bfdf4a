import { alignTo, checkAddress, mostFlat, spell } from "./codec.ts";
import type { Canon, Codec, CoreType, CoreValue, CoreValues } from "./codec.ts";
import { Trap } from "./trap.ts";

/** What an element of a list or a field costs the host, in bytes, about. */
const elementBytes = 16;

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

/** Flags: a number with a bit for each. */
export function flagsCodec(labels: readonly string[]): Codec {
  const size = labels.length <= 8 ? 1 : labels.length <= 16 ? 2 : 4;
  const mask = labels.length === 32 ? 0xffff_ffff : 2 ** labels.length - 1;
  return discriminant(spell("flags{", labels, "}"), size, (value) => (value & mask) >>> 0);
}

/** Enums: the number of the case. */
export function enumCodec(labels: readonly string[]): Codec {
  return discriminant(spell("enum{", labels, "}"), discriminantSize(labels.length), (value) => {
    if (value >= labels.length) throw new Trap(`an enum has no case ${value}`);
    return value;
  });
}

function discriminantSize(cases: number): 1 | 2 | 4 {
  return cases <= 256 ? 1 : cases <= 65_536 ? 2 : 4;
}

function discriminant(signature: string, size: 1 | 2 | 4, check: (value: number) => number): Codec {
  return {
    size,
    align: size,
    flat: ["i32"],
    signature,
    load: (canon, at) => check(readUnsigned(canon, at, size)),
    store: (canon, value, at) => writeUnsigned(canon, at, size, value as number),
    lift: (_, values) => check((values.next() as number) >>> 0),
    lower: (_, value, into) => into.push(value as number),
  };
}

function readUnsigned(canon: Canon, at: number, size: 1 | 2 | 4): number {
  const view = canon.view();
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function writeUnsigned(canon: Canon, at: number, size: 1 | 2 | 4, value: number): void {
  const view = canon.view();
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

/** Variants, options and results: [case, payload]. */
export function variantCodec(signature: string, cases: readonly (Codec | undefined)[]): Codec {
  const tagSize = discriminantSize(cases.length);
  const payloads = cases.filter((it) => it !== undefined);
  const payloadAlign = Math.max(1, ...payloads.map(({ align }) => align));
  const align = Math.max(tagSize, payloadAlign);
  const payloadAt = alignTo(tagSize, payloadAlign);
  const joined = joinFlat(payloads);
  const payloadOf = (tag: number): Codec | undefined => {
    if (tag >= cases.length) throw new Trap(`a variant has no case ${tag}`);
    return cases[tag];
  };
  return {
    size: alignTo(payloadAt + Math.max(0, ...payloads.map(({ size }) => size)), align),
    align,
    flat: joined && joined.length < mostFlat ? ["i32", ...joined] : undefined,
    signature,
    load(canon, at) {
      const tag = readUnsigned(canon, at, tagSize);
      return [tag, payloadOf(tag)?.load(canon, at + payloadAt)];
    },
    store(canon, value, at) {
      const [tag, payload] = value as readonly [number, unknown];
      writeUnsigned(canon, at, tagSize, tag);
      cases[tag]?.store(canon, payload, at + payloadAt);
    },
    lift(canon, values) {
      const tag = (values.next() as number) >>> 0;
      const codec = payloadOf(tag);
      // Every case takes as many core values as the longest one.
      const rest = (joined ?? []).map(() => values.next());
      return [tag, codec?.lift(canon, coerced(rest, joined ?? [], codec.flat ?? []))];
    },
    lower(canon, value, into) {
      const [tag, payload] = value as readonly [number, unknown];
      into.push(tag);
      const own: CoreValue[] = [];
      cases[tag]?.lower(canon, payload, own);
      const from = cases[tag]?.flat ?? [];
      for (const [index, to] of (joined ?? []).entries()) {
        const type = from[index];
        into.push(type === undefined ? zero(to) : widen(own[index] ?? 0, type, to));
      }
    },
  };
}

/** What all cases' core values fit into, place by place. */
function joinFlat(payloads: readonly Codec[]): readonly CoreType[] | undefined {
  const joined: CoreType[] = [];
  for (const { flat } of payloads) {
    if (flat === undefined) return undefined;
    for (const [index, type] of flat.entries()) {
      const before = joined[index];
      joined[index] = before === undefined || before === type ? type : wider(before, type);
    }
  }
  return joined;
}

function wider(one: CoreType, other: CoreType): CoreType {
  const narrow = (type: CoreType): boolean => type === "i32" || type === "f32";
  return narrow(one) && narrow(other) ? "i32" : "i64";
}

function zero(type: CoreType): CoreValue {
  return type === "i64" ? 0n : 0;
}

const bits = new DataView(new ArrayBuffer(8));

/** A core value in the bits of a type that its place shares with other cases. */
function widen(value: CoreValue, from: CoreType, to: CoreType): CoreValue {
  if (from === to) return value;
  if (from === "i32") return BigInt((value as number) >>> 0);
  if (from === "f64") {
    bits.setFloat64(0, value as number);
    return bits.getBigInt64(0);
  }
  bits.setFloat32(0, value as number);
  return to === "i32" ? bits.getInt32(0) : BigInt(bits.getUint32(0));
}

function narrow(value: CoreValue, from: CoreType, to: CoreType): CoreValue {
  if (from === to) return value;
  if (to === "i32") return Number(BigInt.asIntN(32, value as bigint));
  if (to === "f64") {
    bits.setBigInt64(0, value as bigint);
    return bits.getFloat64(0);
  }
  bits.setInt32(0, from === "i32" ? (value as number) : Number(BigInt.asIntN(32, value as bigint)));
  return bits.getFloat32(0);
}

function coerced(
  values: readonly CoreValue[],
  from: readonly CoreType[],
  to: readonly CoreType[],
): CoreValues {
  let index = 0;
  return {
    next() {
      const at = index++;
      const value = values[at] ?? 0;
      return narrow(value, from[at] ?? "i32", to[at] ?? "i32");
    },
  };
}
