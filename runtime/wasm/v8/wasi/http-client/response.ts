import { outsideOf } from "../ask.ts";
import { err, hostFunction, none, ok } from "../host-function.ts";
import type { HostFunction } from "../host-function.ts";
import type { Outside } from "../world.ts";
import { createIncomingBody } from "./body.ts";
import { bytesOf, createFields, type Entries, handleBytes } from "./fields.ts";

/** `incoming-response` of wasi:http/types. */
export interface IncomingResponse extends Disposable {
  readonly status: number;
  readonly headers: Entries;
  /** Until the guest takes it. */
  body: Uint8Array | undefined;
}

/** `request-options` of wasi:http/types, as options of nanoseconds. */
export interface RequestOptions extends Disposable {
  connect: Duration;
  firstByte: Duration;
  betweenBytes: Duration;
}

type Duration = readonly [0, undefined] | readonly [1, bigint];

/** A response of the host; headers are Latin-1. */
export function createResponse(
  { hold, release }: Outside,
  status: number,
  texts: readonly (readonly [string, string])[],
  body: Uint8Array,
): IncomingResponse {
  const headers = texts.map(
    ([name, value]) => [name, Uint8Array.from(Buffer.from(value, "latin1"))] as const,
  );
  const own = handleBytes + bytesOf(headers);
  hold(own + body.length);
  return {
    status,
    headers,
    body,
    [Symbol.dispose]() {
      release(own + (this.body?.length ?? 0));
    },
  };
}

/** The functions of `incoming-response` and `request-options`. */
export const responseFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]incoming-response.status": hostFunction<[IncomingResponse]>(
    "(borrow<incoming-response>) -> u16",
    (_, [{ status }]) => status,
  ),
  "[method]incoming-response.headers": hostFunction<[IncomingResponse]>(
    "(borrow<incoming-response>) -> own<fields>",
    (world, [{ headers }]) => createFields(outsideOf(world), headers, true),
  ),
  "[method]incoming-response.consume": hostFunction<[IncomingResponse]>(
    "(borrow<incoming-response>) -> result<own<incoming-body>, _>",
    (world, [response]) => {
      const { body } = response;
      if (body === undefined) return err();
      response.body = undefined;
      return ok(createIncomingBody(outsideOf(world), body));
    },
  ),
  "[constructor]request-options": hostFunction("() -> own<request-options>", (world): RequestOptions => {
    const { hold, release } = outsideOf(world);
    hold(handleBytes);
    const nothing = { connect: none, firstByte: none, betweenBytes: none };
    return { ...nothing, [Symbol.dispose]: () => release(handleBytes) };
  }),
  ...timeout("connect-timeout", "connect"),
  ...timeout("first-byte-timeout", "firstByte"),
  ...timeout("between-bytes-timeout", "betweenBytes"),
};

function timeout(
  name: string,
  key: "connect" | "firstByte" | "betweenBytes",
): Readonly<Record<string, HostFunction>> {
  return {
    [`[method]request-options.${name}`]: hostFunction<[RequestOptions]>(
      "(borrow<request-options>) -> option<u64>",
      (_, [options]) => options[key],
    ),
    [`[method]request-options.set-${name}`]: hostFunction<[RequestOptions, Duration]>(
      "(borrow<request-options>, option<u64>) -> result",
      (_, [options, duration]) => {
        options[key] = duration;
        return ok();
      },
    ),
  };
}
