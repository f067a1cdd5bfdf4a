import type { Dispatcher } from "undici";
import { type Headers, responseHeaders } from "./headers.ts";
import { EgressRefusal, refusalOf } from "./refusal.ts";

/** A whole response. */
export interface EgressResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A response that has more than the bytes that were allowed. */
export class BodyTooLarge extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super(`The response has at least ${bytes} bytes.`);
    this.bytes = bytes;
  }
}

/** Sends one request and takes its response up to `mostBytes`. Rejects with an EgressRefusal, or BodyTooLarge. */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  mostBytes: number,
  signal: AbortSignal,
): Promise<EgressResponse> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: { readonly status: number; readonly headers: Headers } | undefined;
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (): void => signal.removeEventListener("abort", cancel);
    const fail = (error: Error): void => {
      settle();
      reject(error);
      controller?.abort(error);
    };
    const cancel = (): void => fail(new EgressRefusal("connection-terminated", "The attempt has ended."));
    if (signal.aborted) return cancel();
    signal.addEventListener("abort", cancel, { once: true });
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started;
        // It may have waited for a connection while it was given up.
        if (signal.aborted)
          started.abort(new EgressRefusal("connection-terminated", "The attempt has ended."));
      },
      onRequestUpgrade(started) {
        started.abort(new EgressRefusal("HTTP-upgrade-failed", "The server wants another protocol."));
      },
      onResponseStart({ rawHeaders }, status) {
        // Interim responses are the connection's.
        if (status < 200) return;
        const headers = responseHeaders((rawHeaders ?? []) as Buffer[]);
        head = { status, headers };
        const announced = Number(headers.find(([name]) => name === "content-length")?.[1]);
        if (announced > mostBytes && request.method !== "HEAD") fail(new BodyTooLarge(announced));
      },
      onResponseData(_, chunk) {
        length += chunk.length;
        if (length > mostBytes) return fail(new BodyTooLarge(length));
        chunks.push(chunk);
      },
      onResponseEnd() {
        settle();
        if (head === undefined)
          reject(new EgressRefusal("HTTP-protocol-error", "The server sent no response."));
        else resolve({ ...head, body: Buffer.concat(chunks, length) });
      },
      onResponseError(_, error) {
        settle();
        reject(refusalOf(error, head !== undefined));
      },
    });
  });
}
