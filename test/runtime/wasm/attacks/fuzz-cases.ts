/** A stream of numbers that a seed determines: [0, below). */
export type Dice = (below: number) => number;

/** A dice of 32 bits of state; equal seeds throw alike. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * below);
  };
}

/** Bytes that mean something where they stand: bounds of LEB128, types, sorts, the ends of things. */
const telling = [
  0x00, 0x01, 0x02, 0x0b, 0x3f, 0x40, 0x41, 0x42, 0x60, 0x6e, 0x70, 0x73, 0x7f, 0x80, 0xfc, 0xff,
];

type Mutation = (bytes: Buffer, dice: Dice, others: readonly Buffer[]) => Buffer;

const slice = (bytes: Buffer, dice: Dice, most = 64): Buffer => {
  const from = dice(bytes.length);
  return bytes.subarray(from, from + 1 + dice(most));
};

const mutations: readonly Mutation[] = [
  // A bit, a byte, a telling byte.
  (bytes, dice) => {
    const at = dice(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << dice(8)), at);
    return bytes;
  },
  (bytes, dice) => {
    bytes.writeUInt8(dice(256), dice(bytes.length));
    return bytes;
  },
  (bytes, dice) => {
    bytes.writeUInt8(telling[dice(telling.length)] ?? 0, dice(bytes.length));
    return bytes;
  },
  // A number that goes on, or is as large as it can be.
  (bytes, dice) => {
    const at = dice(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) | 0x80, at);
    return bytes;
  },
  (bytes, dice) => {
    const at = dice(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from("ffffffff0f", "hex"), bytes.subarray(at + 1)]);
  },
  // More, less, elsewhere, twice, of another.
  (bytes, dice) => {
    const at = dice(bytes.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(Array.from({ length: 1 + dice(8) }, () => dice(256))),
      bytes.subarray(at),
    ]);
  },
  (bytes, dice) => {
    const at = dice(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + dice(16))]);
  },
  (bytes, dice) => bytes.subarray(0, dice(bytes.length)),
  (bytes, dice) => {
    const piece = slice(bytes, dice);
    const at = dice(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  },
  (bytes, dice, others) => {
    const other = others[dice(others.length)] ?? bytes;
    const at = dice(bytes.length);
    const piece = slice(other, dice, 400);
    return Buffer.concat([
      bytes.subarray(0, at),
      piece,
      bytes.subarray(at + (dice(2) === 0 ? 0 : piece.length)),
    ]);
  },
];

/** Bytes made of one of `seeds`, with one to six mutations. */
export function mutate(seeds: readonly Buffer[], dice: Dice): Buffer {
  let bytes = Buffer.from(seeds[dice(seeds.length)] ?? Buffer.of(0));
  for (let left = 1 + dice(6); left > 0 && bytes.length > 0; left--) {
    // Half of the time whole sections move instead of bytes.
    const change = dice(8) === 0 ? moveSections : (mutations[dice(mutations.length)] ?? moveSections);
    bytes = Buffer.from(change(bytes, dice, seeds));
  }
  return bytes;
}

/** Swaps, doubles or leaves out sections of a binary, wherever they can still be told apart. */
function moveSections(bytes: Buffer, dice: Dice): Buffer {
  const parts: Buffer[] = [];
  let at = 8;
  while (at < bytes.length) {
    let length = 0;
    let next = at + 1;
    for (let shift = 0; shift < 35 && next < bytes.length; shift += 7) {
      const byte = bytes.readUInt8(next++);
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    parts.push(bytes.subarray(at, next + length));
    at = next + length;
  }
  if (parts.length === 0) return bytes;
  const [from, to] = [dice(parts.length), dice(parts.length)];
  const moved = parts[from] ?? Buffer.alloc(0);
  const kind = dice(3);
  if (kind !== 1) parts.splice(from, 1);
  if (kind !== 2) parts.splice(to, 0, moved);
  return Buffer.concat([bytes.subarray(0, 8), ...parts]);
}

/** Pieces of JSON that mean something to one reader or another. */
const words = [
  "null",
  "true",
  "-0",
  "1e999",
  "1e-999",
  '""',
  "[]",
  "{}",
  '"__proto__"',
  '"constructor"',
  String.raw`"\ud800"`,
  String.raw`"\u0000"`,
  '"after"',
  '"steps"',
  '"event.data"',
  '"steps.a.output"',
  '"1h"',
  '"99999999999d"',
  '"1MiB"',
  "[".repeat(200),
  '{"a":'.repeat(200),
  "9".repeat(400),
  '"$"',
  ":",
  ",",
  "}",
  "]",
  "//x\n",
  "/*",
  '"a/b"',
  '"${',
  "\ufeff",
];

/** Text made of one of `seeds`: pieces of JSON put in, left out, or put elsewhere, and sometimes plain bytes. */
export function mutateText(seeds: readonly string[], dice: Dice): Buffer {
  let text = seeds[dice(seeds.length)] ?? "";
  for (let left = 1 + dice(5); left > 0; left--) {
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[\w.+-]+|\s+|./gsu) ?? [""];
    const at = dice(tokens.length);
    const word = words[dice(words.length)] ?? "";
    const kind = dice(5);
    if (kind === 0) tokens.splice(at, 1);
    else if (kind === 1) tokens.splice(at, 0, word);
    else if (kind === 2) tokens.splice(at, 1, word);
    else if (kind === 3) tokens.splice(at, 0, ...tokens.slice(dice(tokens.length)).slice(0, 1 + dice(20)));
    else [tokens[at], tokens[0]] = [tokens[0] ?? "", tokens[at] ?? ""];
    text = tokens.join("");
  }
  const bytes = Buffer.from(text);
  return dice(6) === 0 ? mutate([bytes], dice) : bytes;
}
