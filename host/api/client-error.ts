import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MillraceError } from "../errors.ts";
import { failureBody } from "./failure.ts";

/** Answers what is no HTTP request, or not in time, and closes its connection. */
export function answerMalformed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || !isHttpError(error) || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const failure = toMillraceError(error);
  const body = JSON.stringify(failureBody(failure));
  const lines = [
    `HTTP/1.1 ${failure.status} ${reasons[failure.status] ?? "Bad Request"}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "x-content-type-options: nosniff",
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** Anything else is a connection that broke, or that never became one of TLS: nobody reads an answer there. */
function isHttpError({ code = "" }: { readonly code?: string }): boolean {
  return code.startsWith("HPE_") || code === "ERR_HTTP_REQUEST_TIMEOUT";
}

/** Whether the client would take the answer for that to an earlier request, which is still on its way. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  const response = socket._httpMessage;
  return response !== undefined && response !== null && (response.headersSent || response.req.complete);
}

const reasons: Readonly<Record<number, string>> = {
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function toMillraceError({ code, message }: Error & { readonly code?: string }): MillraceError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new MillraceError(
        "ERR_REQUEST_HEADERS_TOO_LARGE",
        "The request's headers are longer than 16 KiB.",
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new MillraceError("ERR_REQUEST_TIMEOUT", "The request was not complete in time.");
    default:
      return new MillraceError("ERR_REQUEST_MALFORMED", `The request is not well-formed HTTP: ${message}.`);
  }
}
