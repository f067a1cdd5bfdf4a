/** What a program does, in this order. */
export interface ProgramFixture {
  readonly stdout?: string;
  readonly stderr?: string;
  /** Never comes to an end. */
  readonly loops?: boolean;
  readonly exit?: number;
}

/** A core module that imports wasi_snapshot_preview1: a step without building one. At most 64 KiB of text. */
export function programFixture({
  stdout = "",
  stderr = "",
  loops = false,
  exit = 0,
}: ProgramFixture): Buffer {
  const data: number[] = [];
  const body: number[] = [];
  const write = (descriptor: number, text: string): void => {
    if (text === "") return;
    const bytes = Buffer.from(text);
    // An iovec (address and length), and the text behind it.
    const at = data.length;
    data.push(...int32(at + 8), ...int32(bytes.length), ...bytes);
    while (data.length % 4 !== 0) data.push(0);
    body.push(0x41, ...leb(descriptor), 0x41, ...leb(at), 0x41, 1, 0x41, ...leb(writtenAt), 0x10, 0, 0x1a);
  };
  write(1, stdout);
  write(2, stderr);
  if (loops) body.push(0x03, 0x40, 0x0c, 0, 0x0b);
  if (exit !== 0) body.push(0x41, ...leb(exit), 0x10, 1);
  const code = [0, ...body, 0x0b];
  return Buffer.from([
    ...preamble,
    ...section(1, [3, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0, 0x60, 0, 0]),
    ...section(2, [2, ...name(wasi), ...name("fd_write"), 0, 0, ...name(wasi), ...name("proc_exit"), 0, 1]),
    ...section(3, [1, 2]),
    ...section(5, [1, 0, 2]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("_start"), 0, 2]),
    ...section(10, [1, ...leb(code.length), ...code]),
    ...section(11, [1, 0, 0x41, 0, 0x0b, ...leb(data.length), ...data]),
  ]);
}

/** "\\0asm", version 1. */
const preamble = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const wasi = "wasi_snapshot_preview1";

/** Where the number of written bytes goes: the second page. */
const writtenAt = 65_536;

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

function int32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}

/** LEB128 of a number that is not negative; as signed and as unsigned it reads the same. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if (rest === 0 && (low & 0x40) === 0) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
