import type { HostCall } from "../../../calls.ts";
import { outsideOf } from "../ask.ts";
import { err, hostFunction, none, ok } from "../host-function.ts";
import type { HostInterfaces } from "../host-function.ts";
import type { IoError, Pollable } from "../io.ts";
import type { StepWorld } from "../world.ts";
import { bodyFunctions } from "./body.ts";
import { bodySizeError, errorCode, errorNamed } from "./error-code.ts";
import type { ErrorCode } from "./error-code.ts";
import { createExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { type Entries, fieldsFunctions, handleBytes } from "./fields.ts";
import { contentLength, methodName, requestFunctions } from "./request.ts";
import type { OutgoingRequest } from "./request.ts";
import { createResponse, responseFunctions } from "./response.ts";
import type { RequestOptions } from "./response.ts";

/** `future-incoming-response` of wasi:http/types. */
interface Future extends Disposable {
  readonly exchange: Exchange;
}

type HttpCall = HostCall & { readonly op: "http" };

/** wasi:http as a client has it: a request is sent once its body is whole, and a response comes whole. */
export const httpInterfaces: HostInterfaces = {
  "wasi:http/outgoing-handler": {
    handle: hostFunction<[OutgoingRequest, readonly [0 | 1, RequestOptions | undefined]]>(
      `(own<outgoing-request>, option<own<request-options>>) -> result<own<future-incoming-response>, ${errorCode}>`,
      (world, [request, [, options]]) => handle(world, request, options),
    ),
  },
  "wasi:http/types": {
    ...fieldsFunctions,
    ...requestFunctions,
    ...bodyFunctions,
    ...responseFunctions,
    "[method]future-incoming-response.subscribe": hostFunction<[Future]>(
      "(borrow<future-incoming-response>) -> own<pollable>",
      (_, [{ exchange }]): Pollable => exchange,
    ),
    "[method]future-incoming-response.get": hostFunction<[Future]>(
      `(borrow<future-incoming-response>) -> option<result<result<own<incoming-response>, ${errorCode}>, _>>`,
      (world, [{ exchange }]) => get(world, exchange),
    ),
    "http-error-code": hostFunction<[IoError]>(`(borrow<error>) -> option<${errorCode}>`, (_, [{ code }]) => [
      1,
      code,
    ]),
  },
};

function handle(
  world: StepWorld,
  request: OutgoingRequest,
  options: RequestOptions | undefined,
): readonly [0 | 1, unknown] {
  const outside = outsideOf(world);
  const { exchange = exchangeOf(world, request.headers) } = request;
  const call = toCall(request, options);
  // Handed over, it is no longer the request's to give up.
  delete request.exchange;
  request[Symbol.dispose]();
  options?.[Symbol.dispose]();
  if (!("state" in exchange)) return err(exchange);
  if (!("op" in call)) {
    exchange.giveUp();
    return err(call);
  }
  exchange.handOver(call);
  outside.hold(handleBytes);
  return ok({
    exchange,
    [Symbol.dispose]() {
      outside.release(handleBytes);
      exchange.giveUp();
    },
  } satisfies Future);
}

/** Of a request whose body nobody asked for: it is empty. */
function exchangeOf(world: StepWorld, headers: Entries): Exchange | ErrorCode {
  const length = contentLength(headers);
  if (length === "contradictory") return errorNamed("HTTP-protocol-error");
  if (length !== undefined && length > 0) return bodySizeError(0);
  return createExchange(outsideOf(world), new Uint8Array());
}

/** A request as the host takes it, if it can be one. */
function toCall(
  { method, scheme, authority, path: [, path = ""], headers }: OutgoingRequest,
  options: RequestOptions | undefined,
): HttpCall | ErrorCode {
  const [, [which] = [1]] = scheme;
  if (which > 1) return errorNamed("HTTP-protocol-error");
  if (authority[0] === 0) return errorNamed("HTTP-request-URI-invalid");
  const connectTimeoutMs = milliseconds(options?.connect);
  const firstByteTimeoutMs = milliseconds(options?.firstByte);
  const betweenBytesTimeoutMs = milliseconds(options?.betweenBytes);
  return {
    op: "http",
    method: methodName(method),
    scheme: which === 0 ? "http" : "https",
    authority: authority[1],
    path: path.startsWith("/") ? path : `/${path}`,
    headers: headers.map(
      ([name, value]) => [name.toLowerCase(), Buffer.from(value).toString("latin1")] as const,
    ),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(firstByteTimeoutMs !== undefined && { firstByteTimeoutMs }),
    ...(betweenBytesTimeoutMs !== undefined && { betweenBytesTimeoutMs }),
  };
}

function milliseconds([given, time = 0n]: RequestOptions["connect"] = none): number | undefined {
  return given === 0 ? undefined : Math.max(1, Math.ceil(Number(time) / 1e6));
}

/** The outer option: whether it is there; the result around the inner one: whether it was not taken before. */
function get(world: StepWorld, exchange: Exchange): readonly [0 | 1, unknown] {
  const { state } = exchange;
  const outside = outsideOf(world);
  if (state.is === "writing" || state.is === "written") return none;
  if (state.is === "over") return [1, err()];
  if (state.is === "failed") {
    exchange.end();
    return [1, ok(err(state.error))];
  }
  if (!outside.calls.isAnswered(state.number)) return none;
  exchange.end();
  const { head, bytes = new Uint8Array() } = outside.calls.take(state.number);
  if (head.kind === "response") {
    return [1, ok(ok(createResponse(outside, head.status, head.headers, bytes)))];
  }
  if (head.kind === "http-error") return [1, ok(err(errorNamed(head.code, head.detail)))];
  throw new Error(`the host answered a request with ${head.kind}`);
}
