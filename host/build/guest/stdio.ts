import environment from "wasi:cli/environment@0.2.12";
import exitWorld from "wasi:cli/exit@0.2.12";
import stderr from "wasi:cli/stderr@0.2.12";
import stdin from "wasi:cli/stdin@0.2.12";
import stdout from "wasi:cli/stdout@0.2.12";
import { decodeUtf8, encodeUtf8 } from "./text.ts";

/** The most that `blocking-write-and-flush` takes at once. */
const mostAtOnce = 4096;

/** Text is collected up to this many characters before it is written. */
const buffered = 65_536;

let pending = "";
let input: string | undefined;

function writeAll(stream: { blockingWriteAndFlush(bytes: Uint8Array): void }, text: string): void {
  const bytes = encodeUtf8(text);
  for (let at = 0; at < bytes.length; at += mostAtOnce) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + mostAtOnce));
  }
}

/** Writes out what was collected. */
export function flush(): void {
  const text = pending;
  pending = "";
  if (text !== "") writeAll(stdout.getStdout(), text);
}

/** Writes text to one of the two outputs; stdout is collected until `flush`. */
export function write(stream: "stdout" | "stderr", text: string): void {
  if (stream === "stderr") return writeAll(stderr.getStderr(), text);
  pending += text;
  if (pending.length >= buffered) flush();
}

/** All of stdin. */
export function readStdin(): string {
  input ??= decodeUtf8(readBytes());
  return input;
}

/** What was read of stdin is not that of the next run. */
export function forgetStdin(): void {
  input = undefined;
}

function readBytes(): Uint8Array {
  const stream = stdin.getStdin();
  const chunks: Uint8Array[] = [];
  for (;;) {
    let chunk: Uint8Array;
    try {
      chunk = stream.blockingRead(65_536);
    } catch {
      // The end of the stream is an error result.
      break;
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Arguments as Node has them: two placeholders, then the step's own. */
export function argv(): readonly string[] {
  return ["node", "step", ...environment.getArguments().slice(1)];
}

/** Ends the program. */
export function exit(code: number): never {
  flush();
  return exitWorld.exitWithCode(code);
}
