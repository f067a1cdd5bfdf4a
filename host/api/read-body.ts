import type { IncomingMessage, ServerResponse } from "node:http";
import { MillraceError } from "../errors.ts";

/** The whole body of a request. Rejects with ERR_BODY_TOO_LARGE and ERR_BODY_INCOMPLETE. */
export function readBody(request: IncomingMessage, response: ServerResponse, limit: number): Promise<Buffer> {
  const declared = request.headers["content-length"];
  if (declared !== undefined && Number(declared) > limit) return Promise.reject(tooLarge(limit));
  // The client waits for this before it sends a large body, and by now nothing else speaks against taking it.
  if (request.headers.expect !== undefined) response.writeContinue();

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (): void => {
      request.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) {
        // The request goes on flowing, to nobody: a client that writes all before it reads must get to the answer.
        settle();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle();
      if (declared !== undefined && Number(declared) !== length) reject(incomplete());
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
    };
    const onBreak = (): void => {
      settle();
      reject(incomplete());
    };
    request.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak);
  });
}

export function tooLarge(limit: number): MillraceError {
  return new MillraceError(
    "ERR_BODY_TOO_LARGE",
    `The body is larger than ${limit} bytes, the most of one request.`,
  );
}

function incomplete(): MillraceError {
  return new MillraceError("ERR_BODY_INCOMPLETE", "The connection ended before the whole body was there.");
}
