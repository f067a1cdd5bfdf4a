import type { IncomingMessage, ServerResponse } from "node:http";
import { MillraceError } from "../errors.ts";
import { isJsonType } from "../event/cloudevents.ts";
import { decodeText, parseJson } from "./decode-body.ts";
import { readBody } from "./read-body.ts";

/**
 * A request's body as JSON. The type is asked for since a web page can't send it to another site without that site's
 * leave. Throws ERR_BODY_….
 */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<unknown> {
  checkJsonType(request);
  return parseJson(decodeText(await readBody(request, response, limit)));
}

/** Throws ERR_BODY_TYPE unless the request says that it brings JSON. */
export function checkJsonType({ headers }: IncomingMessage): void {
  const type = headers["content-type"];
  if (isJsonType(type ?? "")) return;
  const said = type === undefined ? "The request has no Content-Type" : `The Content-Type is ${type}`;
  throw new MillraceError("ERR_BODY_TYPE", `${said}; this path takes application/json.`);
}
