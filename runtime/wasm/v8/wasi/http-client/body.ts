import { Trap } from "../../component/trap.ts";
import type { InputSource, OutputSink, WriteFault } from "../../stdio.ts";
import { outsideOf } from "../ask.ts";
import { err, hostFunction, none, ok } from "../host-function.ts";
import type { HostFunction } from "../host-function.ts";
import { type IoError, readyNow } from "../io.ts";
import type { Outside } from "../world.ts";
import { bodySizeError, errorCode, errorNamed, nameOfError } from "./error-code.ts";
import type { ErrorCode } from "./error-code.ts";
import type { Exchange } from "./exchange.ts";
import { type Fields, handleBytes } from "./fields.ts";

/** The one stream of a body, which its body outlives. */
interface Stream {
  use: "never" | "now" | "over";
}

/** `outgoing-body` of wasi:http/types. */
export interface OutgoingBody extends Disposable {
  readonly stream: Stream;
  open(): OutputSink & Disposable;
  finish(trailers: Fields | undefined): ErrorCode | undefined;
}

/** `incoming-body` of wasi:http/types. */
export interface IncomingBody extends Disposable {
  readonly stream: Stream;
  open(): InputSource & Disposable;
}

/** `future-trailers` of wasi:http/types: there are none, which is known at once. */
interface Trailers extends Disposable {
  taken: boolean;
}

/** The body of a request, kept until it is whole. `length`: what the headers say of it. */
export function createOutgoingBody(
  outside: Outside,
  exchange: Exchange,
  length: number | undefined,
): OutgoingBody {
  const { hold, release, breach, httpBodyBytes } = outside;
  hold(handleBytes);
  const stream: Stream = { use: "never" };
  const bytes = createBytes(hold);
  /** Why it can't be finished. */
  let failed: ErrorCode | undefined;
  const end = (): void => {
    checkOver(stream);
    release(handleBytes);
  };
  const write = (more: Uint8Array): WriteFault | undefined => {
    if (failed !== undefined) return "closed";
    const size = bytes.length + more.length;
    if (size > httpBodyBytes) {
      const what = `The body of an HTTP request had ${size} bytes or more`;
      breach("ERR_STEP_HTTP_TOO_LARGE", `${what}, over the limit of ${httpBodyBytes}.`);
    }
    if (length === undefined || size <= length) return bytes.add(more);
    failed = bodySizeError(length);
    return { failed: ioError(failed) };
  };
  return {
    stream,
    open: () => ({ write, [Symbol.dispose]: () => void (stream.use = "over") }),
    finish(trailers) {
      end();
      if (trailers !== undefined && trailers.entries.length > 0) {
        failed = errorNamed("internal-error", "Requests of a step have no trailers.");
      } else if (length !== undefined && length !== bytes.length) failed ??= bodySizeError(bytes.length);
      trailers?.[Symbol.dispose]();
      if (failed === undefined) exchange.finish(bytes.take());
      else {
        release(bytes.length);
        exchange.fail(failed);
      }
      return failed;
    },
    // Without its end a body is no body: the request fails.
    [Symbol.dispose]() {
      end();
      release(bytes.length);
      exchange.fail(failed ?? errorNamed("HTTP-protocol-error"));
    },
  };
}

/** The body of a response; its bytes are held already, and let go with it or with its stream, whichever is the last. */
export function createIncomingBody({ hold, release }: Outside, bytes: Uint8Array): IncomingBody {
  hold(handleBytes);
  const stream: Stream = { use: "never" };
  let at = 0;
  let orphan = false;
  const letGo = (): void => release(handleBytes + bytes.length);
  return {
    stream,
    open: () => ({
      read(atMost) {
        if (at === bytes.length) return undefined;
        const chunk = bytes.subarray(at, at + atMost);
        at += chunk.length;
        return chunk;
      },
      [Symbol.dispose]() {
        stream.use = "over";
        if (orphan) letGo();
      },
    }),
    // Languages that collect garbage may drop a body before its stream, which goes on.
    [Symbol.dispose]() {
      if (stream.use === "now") orphan = true;
      else letGo();
    },
  };
}

/** The functions of bodies and trailers. */
export const bodyFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]outgoing-body.write": hostFunction<[OutgoingBody]>(
    "(borrow<outgoing-body>) -> result<own<output-stream>, _>",
    (_, [body]) => begun(body),
  ),
  "[static]outgoing-body.finish": hostFunction<[OutgoingBody, readonly [0 | 1, Fields | undefined]]>(
    `(own<outgoing-body>, option<own<fields>>) -> result<_, ${errorCode}>`,
    (_, [body, [, trailers]]) => {
      const failed = body.finish(trailers);
      return failed === undefined ? ok() : err(failed);
    },
  ),
  "[method]incoming-body.stream": hostFunction<[IncomingBody]>(
    "(borrow<incoming-body>) -> result<own<input-stream>, _>",
    (_, [body]) => begun(body),
  ),
  "[static]incoming-body.finish": hostFunction<[IncomingBody]>(
    "(own<incoming-body>) -> own<future-trailers>",
    (world, [body]): Trailers => {
      checkOver(body.stream);
      body[Symbol.dispose]();
      const { hold, release } = outsideOf(world);
      hold(handleBytes);
      return { taken: false, [Symbol.dispose]: () => release(handleBytes) };
    },
  ),
  "[method]future-trailers.subscribe": hostFunction(
    "(borrow<future-trailers>) -> own<pollable>",
    () => readyNow,
  ),
  "[method]future-trailers.get": hostFunction<[Trailers]>(
    `(borrow<future-trailers>) -> option<result<result<option<own<fields>>, ${errorCode}>, _>>`,
    (_, [trailers]) => {
      if (trailers.taken) return [1, err()];
      trailers.taken = true;
      return [1, ok(ok(none))];
    },
  ),
};

/** The stream, the first time alone. */
function begun({ stream, open }: OutgoingBody | IncomingBody): readonly [0 | 1, unknown] {
  if (stream.use !== "never") return err();
  stream.use = "now";
  return ok(open());
}

function checkOver({ use }: Stream): void {
  if (use === "now") throw new Trap("a body ends before its stream is dropped");
}

function ioError(code: ErrorCode): IoError {
  return { code, text: nameOfError(code) };
}

/** Bytes that grow; a guest may write them one by one. */
function createBytes(hold: (bytes: number) => void) {
  let kept = new Uint8Array();
  let length = 0;
  return {
    get length() {
      return length;
    },
    add(more: Uint8Array): undefined {
      hold(more.length);
      const size = length + more.length;
      if (size > kept.length) {
        const larger = new Uint8Array(Math.max(4_096, 2 * size));
        larger.set(kept.subarray(0, length));
        kept = larger;
      }
      // A copy: the bytes may lie in the guest's memory.
      kept.set(more, length);
      length = size;
    },
    take: (): Uint8Array => kept.subarray(0, length),
  };
}
