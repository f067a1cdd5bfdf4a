import { isToken } from "../../../../egress/headers.ts";
import { outsideOf } from "../ask.ts";
import { err, hostFunction, none, ok } from "../host-function.ts";
import type { HostFunction } from "../host-function.ts";
import type { Outside } from "../world.ts";
import { createOutgoingBody } from "./body.ts";
import { createExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { bytesOf, createFields, type Entries, type Fields, handleBytes } from "./fields.ts";
import { isAuthority, isPath, isScheme } from "./syntax.ts";

type Case = readonly [number, unknown];
type Option<T> = readonly [0, undefined] | readonly [1, T];

/** `outgoing-request` of wasi:http/types, with its values as the guest has them. */
export interface OutgoingRequest extends Disposable {
  readonly headers: Entries;
  method: Case;
  scheme: Option<Case>;
  authority: Option<string>;
  path: Option<string>;
  /** Once its body was asked for. */
  exchange?: Exchange;
}

const methods = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"] as const;
const method = `variant{${methods.join(", ")}, other(string)}`;
const scheme = "variant{HTTP, HTTPS, other(string)}";
const otherScheme = 2;

/** The functions of `outgoing-request`. */
export const requestFunctions: Readonly<Record<string, HostFunction>> = {
  "[constructor]outgoing-request": hostFunction<[Fields]>(
    "(own<fields>) -> own<outgoing-request>",
    (world, [headers]) => createRequest(outsideOf(world), headers),
  ),
  "[method]outgoing-request.body": hostFunction<[OutgoingRequest]>(
    "(borrow<outgoing-request>) -> result<own<outgoing-body>, _>",
    (world, [request]) => {
      const length = contentLength(request.headers);
      if (length === "contradictory" || request.exchange !== undefined) return err();
      const outside = outsideOf(world);
      request.exchange = createExchange(outside);
      return ok(createOutgoingBody(outside, request.exchange, length));
    },
  ),
  ...property("method", method, (given) => isToken(methodName(given as Case))),
  ...property("scheme", `option<${scheme}>`, (given) => {
    const [some, [which, name] = [0, ""]] = given as Option<Case>;
    return some === 0 || which !== otherScheme || isScheme(name as string);
  }),
  ...property("authority", "option<string>", ifGiven(isAuthority)),
  ...property("path", "option<string>", ifGiven(isPath), "path-with-query"),
  "[method]outgoing-request.headers": hostFunction<[OutgoingRequest]>(
    "(borrow<outgoing-request>) -> own<fields>",
    (world, [{ headers }]) => createFields(outsideOf(world), headers, true),
  ),
};

/** The method's name on the wire. */
export function methodName([which, name]: Case): string {
  return methods[which]?.toUpperCase() ?? (name as string);
}

/** What the headers say of the body's length, if they do. */
export function contentLength(headers: Entries): number | undefined | "contradictory" {
  const said = new Set(
    headers
      .filter(([name]) => name.toLowerCase() === "content-length")
      .map(([, value]) => Buffer.from(value).toString("latin1")),
  );
  const lengths = new Set([...said].map((text) => (/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN)));
  if (lengths.size > 1 || lengths.has(Number.NaN)) return "contradictory";
  return [...lengths][0];
}

function createRequest({ hold, release }: Outside, fields: Fields): OutgoingRequest {
  fields[Symbol.dispose]();
  const request: OutgoingRequest = {
    headers: fields.entries,
    method: [0, undefined],
    scheme: none,
    authority: none,
    path: none,
    [Symbol.dispose]() {
      release(requestBytes(request));
      request.exchange?.giveUp();
    },
  };
  hold(requestBytes(request));
  return request;
}

function requestBytes({ headers, method, scheme, authority, path }: OutgoingRequest): number {
  const texts = [method[1], scheme[1]?.[1], authority[1], path[1]];
  const length = texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? text.length : 0), 0);
  return handleBytes + bytesOf(headers) + length;
}

/** How a guest reads a property, and sets it to what is right. */
function property(
  key: "method" | "scheme" | "authority" | "path",
  type: string,
  isRight: (value: unknown) => boolean,
  name: string = key,
): Readonly<Record<string, HostFunction>> {
  return {
    [`[method]outgoing-request.${name}`]: hostFunction<[OutgoingRequest]>(
      `(borrow<outgoing-request>) -> ${type}`,
      (_, [request]) => request[key],
    ),
    [`[method]outgoing-request.set-${name}`]: hostFunction<[OutgoingRequest, never]>(
      `(borrow<outgoing-request>, ${type}) -> result`,
      (world, [request, value]) => {
        if (!isRight(value)) return err();
        const { hold, release } = outsideOf(world);
        release(requestBytes(request));
        request[key] = value;
        hold(requestBytes(request));
        return ok();
      },
    ),
  };
}

function ifGiven(isRight: (text: string) => boolean): (value: unknown) => boolean {
  return (value) => {
    const [some, text = ""] = value as Option<string>;
    return some === 0 || isRight(text);
  };
}
