import { StringDecoder } from "node:string_decoder";
import type { LogLine } from "./driver.ts";

/** Takes a program's stderr apart into the lines of its attempt's log. */
export interface LogLines {
  /** Adds bytes, and returns the lines that are complete by now; `full`: these were more bytes than may be. */
  write(bytes: Uint8Array): { readonly lines: readonly LogLine[]; readonly full: boolean };
  /** All lines until now, with the one that is not complete. */
  all(): readonly LogLine[];
}

/** A log of at most `limit` bytes; of what goes over it as much is kept as fits. */
export function createLogLines(limit: number): LogLines {
  const decoder = new StringDecoder("utf8");
  const done: LogLine[] = [];
  let rest = "";
  let used = 0;
  return {
    write(bytes) {
      const kept = bytes.subarray(0, Math.max(0, limit - used));
      used += bytes.length;
      const parts = (rest + decoder.write(kept)).split("\n");
      rest = parts.pop() ?? "";
      const lines = parts.map(line);
      done.push(...lines);
      return { lines, full: used > limit };
    },
    all() {
      const last = rest + decoder.end();
      return last === "" ? done : [...done, line(last)];
    },
  };
}

function line(text: string): LogLine {
  return { level: "info", message: text.endsWith("\r") ? text.slice(0, -1) : text };
}
