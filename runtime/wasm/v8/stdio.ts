import type { RuntimeErrorCode } from "../../errors.ts";

/** Bytes to read from the front; undefined at the end. */
export interface InputSource {
  read(atMost: number): Uint8Array | undefined;
}

/** Takes bytes up to a limit, and ends the guest there. */
export interface OutputSink {
  /** Says why it took none, where it can fail without that. */
  write(bytes: Uint8Array): WriteFault | undefined | void;
}

/** "closed": it takes no more; else what stands for the `error` that a guest gets of it. */
export type WriteFault = "closed" | { readonly failed: unknown };

/** The guest went over a limit: it is ended where it stands. */
export class Breach extends Error {
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The guest asked to exit. */
export class Exit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit with code ${status}`);
    this.status = status;
  }
}

/** What stdin holds: the text in UTF-8, once. */
export function createInput(text: string): InputSource {
  let bytes: Uint8Array | undefined;
  let at = 0;
  return {
    read(atMost) {
      bytes ??= Buffer.from(text);
      if (at >= bytes.length) return undefined;
      const chunk = bytes.subarray(at, at + atMost);
      at += chunk.length;
      return chunk;
    },
  };
}

/** Collects output up to `limit` bytes; `end` ends the guest. */
export function createOutput(limit: number, end: (reason: Breach) => never): OutputSink & { text(): string } {
  // One piece of memory: a guest may write byte by byte.
  let kept = Buffer.alloc(0);
  let length = 0;
  return {
    write(bytes) {
      const from = length;
      length += bytes.length;
      if (length > limit) {
        kept = Buffer.alloc(0);
        const message = `The step wrote ${length} bytes to stdout, over the limit of ${limit} bytes.`;
        end(new Breach("ERR_STEP_OUTPUT_TOO_LARGE", message));
      }
      if (length > kept.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(4_096, 2 * length)));
        larger.set(kept.subarray(0, from));
        kept = larger;
      }
      // A copy: the bytes may lie in the guest's memory.
      kept.set(bytes, from);
    },
    text: () => kept.toString("utf8", 0, length),
  };
}
