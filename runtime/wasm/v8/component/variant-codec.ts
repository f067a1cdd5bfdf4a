import { alignTo, mostFlat, spell } from "./codec.ts";
import type { Canon, Codec, CoreType, CoreValue, CoreValues } from "./codec.ts";
import { Trap } from "./trap.ts";

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
  return isNarrow(one) && isNarrow(other) ? "i32" : "i64";
}

function isNarrow(type: CoreType): boolean {
  return type === "i32" || type === "f32";
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
