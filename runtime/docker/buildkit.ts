import { posix } from "node:path";
import { text } from "node:stream/consumers";
import { Readable } from "node:stream";
import type { StepFailure } from "../driver.ts";
import type { BuildOptions } from "./options.ts";

/** Of Docker's own frontend, in whatever version: what reads a Dockerfile for BuildKit. */
const dockersOwn = /^(docker\.io\/)?docker\/dockerfile([:@].*)?$/;

/** Whether the engine's classic builder refuses a Dockerfile for what BuildKit has, such as RUN --mount. */
export function needsBuildKit({ message }: StepFailure): boolean {
  return /requires BuildKit/i.test(message);
}

/**
 * What would read the Dockerfile in place of Docker's own frontend, as its line `# syntax=` or an argument has it: an image
 * that is anybody's decides by itself which network instructions have.
 */
export async function foreignSyntax(
  archive: Uint8Array,
  { dockerfile = "Dockerfile", args }: BuildOptions,
): Promise<string | undefined> {
  const { extract } = await import("tar-stream");
  const named = [args?.["BUILDKIT_SYNTAX"]];
  let isRead = false;
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    const { name, type } = entry.header;
    if (name === posix.normalize(dockerfile) && type === "file") {
      isRead = true;
      for (const [, syntax] of (await text(entry)).matchAll(/^\s*(?:#|\/\/)\s*syntax\s*=\s*(\S+)/gim))
        named.push(syntax);
    } else entry.resume();
  }
  // Such as that of a link.
  if (!isRead) return "what can't be told";
  return named.find((syntax) => syntax !== undefined && !dockersOwn.test(syntax));
}

/**
 * Reads what BuildKit tells of a build, of messages `moby.buildkit.trace`: instructions that have begun, once each, and
 * what they print. One that is short may be over when it is told of first.
 */
export function createTraceReader(): (base64: string) => string {
  const begun = new Set<string>();
  return (base64) => {
    let told = "";
    // moby.buildkit.v1.StatusResponse: 1 are instructions, 3 pieces of their output.
    for (const [kind, message] of fields(Buffer.from(base64, "base64"))) {
      const parts = new Map(kind === 1 || kind === 3 ? fields(message) : []);
      const digest = parts.get(1)?.toString() ?? "";
      if (kind === 1 && parts.has(5) && !begun.has(digest)) {
        begun.add(digest);
        told += `${parts.get(3)?.toString() ?? ""}\n`;
      }
      if (kind === 3) told += parts.get(4)?.toString() ?? "";
    }
    return told;
  };
}

/** The fields of a message of Protocol Buffers that have a length; others are passed over. */
function* fields(bytes: Buffer): Generator<readonly [number: number, content: Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) varint();
    else {
      const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
      if (wire === 2) yield [Math.floor(key / 8), bytes.subarray(at, at + length)];
      at += length;
    }
  }
}
