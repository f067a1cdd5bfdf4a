import type { LogLine } from "../../driver.ts";

/**
 * The log of an attempt in memory that both threads see, so that it survives a worker that had to be terminated.
 * Layout: the length that is in use (u32), then for each write its level (u8), its length (u32, little-endian) and
 * UTF-8 text.
 */
const headerBytes = 4;
const entryBytes = 5;

const levels = ["trace", "debug", "info", "warn", "error", "stderr"] as const;

/** "stderr" is raw text, cut into lines of level "info" when the log is read. */
export type LogSource = (typeof levels)[number];

/** An empty log; it grows with what is written. */
export function createLogBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes, { maxByteLength: 2 ** 28 });
}

/** The writing side, in the worker. */
export interface LogWriter {
  /** Adds text and returns true; false when it did not fit, and as much was kept as did. */
  write(source: LogSource, text: Uint8Array): boolean;
  /** Bytes that were written, also those behind the limit. */
  readonly written: number;
}

/** Starts a new log of at most `limit` bytes of text. */
export function writeLog(buffer: SharedArrayBuffer, limit: number): LogWriter {
  Atomics.store(new Uint32Array(buffer, 0, 1), 0, 0);
  let used = 0;
  let text = 0;
  let last: LogSource | undefined;
  let lastAt = 0;
  return {
    get written() {
      return text;
    },
    write(source, bytes) {
      if (source === "stderr" && bytes.length === 0) return true;
      const kept = bytes.subarray(0, Math.max(0, limit - text));
      // A structured line counts its line break, so that empty ones end too.
      text += bytes.length + (source === "stderr" ? 0 : 1);
      // Consecutive pieces of stderr share an entry: a program may write one byte at a time.
      const merge = source === "stderr" && last === "stderr";
      const needed = headerBytes + used + (merge ? 0 : entryBytes) + kept.length;
      if (needed > buffer.byteLength) buffer.grow(Math.min(buffer.maxByteLength, needed * 2));
      const view = new DataView(buffer);
      if (!merge) {
        lastAt = headerBytes + used;
        view.setUint8(lastAt, levels.indexOf(source));
        view.setUint32(lastAt + 1, 0, true);
        used += entryBytes;
      }
      new Uint8Array(buffer, headerBytes + used, kept.length).set(kept);
      view.setUint32(lastAt + 1, view.getUint32(lastAt + 1, true) + kept.length, true);
      used += kept.length;
      last = source;
      Atomics.store(new Uint32Array(buffer, 0, 1), 0, used);
      return text <= limit;
    },
  };
}

/** Reads what was logged, also while or after the worker was stopped in the middle of it. */
export function readLog(buffer: SharedArrayBuffer): readonly LogLine[] {
  const used = Atomics.load(new Uint32Array(buffer, 0, 1), 0);
  if (used === 0) return [];
  // A copy: text decoders don't take shared memory.
  const bytes = Buffer.from(new Uint8Array(buffer, headerBytes, used));
  const lines: LogLine[] = [];
  for (let at = 0; at + entryBytes <= bytes.length;) {
    const source = levels[bytes.readUInt8(at)] ?? "stderr";
    const end = at + entryBytes + bytes.readUInt32LE(at + 1);
    const message = bytes.toString("utf8", at + entryBytes, Math.min(end, bytes.length));
    if (source === "stderr") lines.push(...stderrLines(message));
    else lines.push({ level: source, message });
    at = end;
  }
  return lines;
}

function stderrLines(text: string): readonly LogLine[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((message) => ({ level: "info", message }));
}
