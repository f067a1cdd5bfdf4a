import type { Codec, CoreType } from "./codec.ts";
import type { Primitive } from "./definition.ts";
import { Trap } from "./trap.ts";

/** Codecs of the types that are one core value. */
export const scalarCodecs: Readonly<Record<Exclude<Primitive, "string">, Codec>> = {
  bool: scalar("bool", 1, "i32", {
    read: (view, at) => view.getUint8(at) !== 0,
    write: (view, at, value) => view.setUint8(at, value === true ? 1 : 0),
    lift: (core) => core !== 0,
    lower: (value) => (value === true ? 1 : 0),
  }),
  u8: integer(
    "u8",
    1,
    (view, at) => view.getUint8(at),
    (core) => core & 0xff,
  ),
  s8: integer(
    "s8",
    1,
    (view, at) => view.getInt8(at),
    (core) => (core << 24) >> 24,
  ),
  u16: integer(
    "u16",
    2,
    (view, at) => view.getUint16(at, true),
    (core) => core & 0xffff,
  ),
  s16: integer(
    "s16",
    2,
    (view, at) => view.getInt16(at, true),
    (core) => (core << 16) >> 16,
  ),
  u32: integer(
    "u32",
    4,
    (view, at) => view.getUint32(at, true),
    (core) => core >>> 0,
  ),
  s32: integer(
    "s32",
    4,
    (view, at) => view.getInt32(at, true),
    (core) => core | 0,
  ),
  u64: long(
    "u64",
    (view, at) => view.getBigUint64(at, true),
    (core) => BigInt.asUintN(64, core),
  ),
  s64: long(
    "s64",
    (view, at) => view.getBigInt64(at, true),
    (core) => BigInt.asIntN(64, core),
  ),
  f32: float(
    "f32",
    4,
    (view, at) => view.getFloat32(at, true),
    (view, at, value) => view.setFloat32(at, value, true),
  ),
  f64: float(
    "f64",
    8,
    (view, at) => view.getFloat64(at, true),
    (view, at, value) => view.setFloat64(at, value, true),
  ),
  char: scalar("char", 4, "i32", {
    read: (view, at) => codePoint(view.getUint32(at, true)),
    write: (view, at, value) => view.setUint32(at, value as number, true),
    lift: (core) => codePoint((core as number) >>> 0),
    lower: (value) => value as number,
  }),
};

interface Accessors<Core> {
  readonly read: (view: DataView, at: number) => unknown;
  readonly write: (view: DataView, at: number, value: unknown) => void;
  readonly lift: (core: Core) => unknown;
  readonly lower: (value: unknown) => Core;
}

function scalar<Core extends number | bigint>(
  signature: string,
  size: number,
  core: CoreType,
  { read, write, lift, lower }: Accessors<Core>,
): Codec {
  return {
    size,
    align: size,
    flat: [core],
    signature,
    load: (canon, at) => read(canon.view(), at),
    store: (canon, value, at) => write(canon.view(), at, value),
    lift: (_, values) => lift(values.next() as Core),
    lower: (_, value, into) => into.push(lower(value)),
  };
}

function integer(
  signature: string,
  size: 1 | 2 | 4,
  read: (view: DataView, at: number) => number,
  wrap: (core: number) => number,
): Codec {
  const write = (view: DataView, at: number, value: unknown): void => {
    if (size === 1) view.setUint8(at, value as number);
    else if (size === 2) view.setUint16(at, value as number, true);
    else view.setUint32(at, value as number, true);
  };
  return scalar<number>(signature, size, "i32", {
    read,
    write,
    lift: wrap,
    lower: (value) => (value as number) | 0,
  });
}

function writeLong(view: DataView, at: number, value: unknown): void {
  view.setBigUint64(at, value as bigint, true);
}

function long(
  signature: string,
  read: (view: DataView, at: number) => bigint,
  wrap: (core: bigint) => bigint,
): Codec {
  return scalar<bigint>(signature, 8, "i64", {
    read,
    write: writeLong,
    lift: wrap,
    lower: (value) => value as bigint,
  });
}

function float(
  signature: "f32" | "f64",
  size: number,
  read: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): Codec {
  const write = (view: DataView, at: number, value: unknown): void => set(view, at, value as number);
  return scalar<number>(signature, size, signature, {
    read,
    write,
    lift: (core) => core,
    lower: (value) => value as number,
  });
}

function codePoint(value: number): number {
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) throw new Trap(`${value} is no character`);
  return value;
}
