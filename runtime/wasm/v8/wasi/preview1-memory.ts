/** The memory of the module that calls; it is there once the module is instantiated. */
export type Memory = () => ArrayBuffer;

/** A function of the host: pointers and numbers in, an error number out. */
export type Preview1Function = (...args: never[]) => number;

/** Descriptors that lead to stdin, stdout and stderr, which are 0, 1 and 2. */
export type Stdio = Map<number, 0 | 1 | 2>;

/** Calls `each` with the memory that an array of (pointer, length) pairs names, until it returns false. */
export function eachVector(
  memory: Memory,
  vectors: number,
  count: number,
  each: (bytes: Uint8Array) => boolean,
): void {
  const buffer = memory();
  const view = new DataView(buffer);
  for (let index = 0; index < count >>> 0; index++) {
    const at = (vectors >>> 0) + 8 * index;
    if (!each(new Uint8Array(buffer, view.getUint32(at, true), view.getUint32(at + 4, true)))) return;
  }
}

/** Writes a number of 32 bits. */
export function putU32(memory: Memory, pointer: number, value: number): void {
  new DataView(memory()).setUint32(pointer >>> 0, value, true);
}

/** Writes a number of 64 bits. */
export function putU64(memory: Memory, pointer: number, value: bigint): void {
  new DataView(memory()).setBigUint64(pointer >>> 0, value, true);
}
