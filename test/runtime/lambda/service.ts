import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What Lambda's API answers, as its reference has it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is text. */
  readonly body?: unknown;
}

/** One request that came. */
export interface Asked {
  readonly method: string;
  /** The function's name, decoded. */
  readonly function: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An endpoint of Lambda's API on loopback that gives recorded answers. */
export interface Service {
  readonly endpoint: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Each request gets what `answer` gives for it; nothing, ever, for undefined. */
export async function startService(
  answer: (asked: Asked) => Answer | Promise<Answer> | undefined,
): Promise<Service> {
  const asked: Asked[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://lambda");
    const one: Asked = {
      method: request.method ?? "",
      function: decodeURIComponent(url.pathname.split("/")[3] ?? ""),
      url,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    asked.push(one);
    const given = await answer(one);
    if (given === undefined) return;
    const { status, headers = {}, body = "" } = given;
    response.writeHead(status, { "x-amzn-requestid": `request-${asked.length}`, ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A refusal: an exception of Lambda's API. */
export function exception(
  status: number,
  name: string,
  message: string,
  extra: { readonly headers?: Readonly<Record<string, string>>; readonly body?: object } = {},
): Answer {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": name, ...extra.headers },
    body: { Type: status < 500 ? "User" : "Service", Message: message, ...extra.body },
  };
}

/** A success of Lambda's API, be it of the function or of its error. */
export function invoked(
  body: unknown,
  { log, functionError }: { readonly log?: string; readonly functionError?: string } = {},
): Answer {
  return {
    status: 200,
    headers: {
      "content-type": "application/json",
      "x-amz-executed-version": "7",
      ...(log === undefined ? {} : { "x-amz-log-result": Buffer.from(log).toString("base64") }),
      ...(functionError === undefined ? {} : { "x-amz-function-error": functionError }),
    },
    body,
  };
}
