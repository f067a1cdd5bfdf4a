import { readFileSync } from "node:fs";
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import type { AttemptResult, Driver, LogLine, RuntimeName } from "../../../runtime/driver.ts";
import type { StepInput } from "../../../runtime/input.ts";
import type { Json } from "../../../runtime/json.ts";
import type { ApiLogEntry, ApiOptions } from "../../../host/api/options.ts";
import { createApi, type Api } from "../../../host/api/server.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, type Host } from "../../../host/index.ts";

/** A host with its API, listening on a free port. */
export interface Served {
  readonly host: Host;
  readonly api: Api;
  readonly url: string;
  readonly port: number;
  /** What the API logged. */
  readonly logged: readonly ApiLogEntry[];
  /** Sends a body to `/e/test` and parses the answer. */
  send(body: string | Uint8Array<ArrayBuffer>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/** A step as a plain function; it may log. */
export type Program = (input: StepInput, log: (message: string) => void) => Json | Promise<Json>;

export const tls = {
  key: readFileSync(new URL("../../fixtures/tls/key.pem", import.meta.url)),
  cert: readFileSync(new URL("../../fixtures/tls/cert.pem", import.meta.url)),
};

/** Serves a real host on `memory:`, whose steps are `programs` by step id. `change` alters what the API sees of it. */
export async function serve(
  options: Partial<ApiOptions> = {},
  {
    programs = {},
    store = "memory:",
    change = (host: Host) => host,
  }: { programs?: Record<string, Program>; store?: string; change?: (host: Host) => Host } = {},
): Promise<Served> {
  const host = await createHost({ store, drivers: driversOf(programs) });
  const logged: ApiLogEntry[] = [];
  const api = await createApi(change(host), {
    eventKeys: "any",
    log: (entry) => void logged.push(entry),
    ...options,
  });
  const { url, port } = await api.listen();
  const get: Served["get"] = async (path, headers = {}) => answer(await fetch(url + path, { headers }));
  return {
    host,
    api,
    url,
    port,
    logged,
    get,
    send: async (body, headers = {}) =>
      answer(
        await fetch(`${url}/e/test`, {
          method: "POST",
          body,
          headers: { "content-type": "application/json", ...headers },
        }),
      ),
    async close() {
      await api.close();
      await host.close();
    },
  };
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body };
}

/** Deploys one function of wasm steps, triggered by `a/b` unless it says otherwise. */
export async function deploy(
  host: Host,
  steps: FunctionDocument["steps"],
  more: Partial<FunctionDocument> = {},
): Promise<void> {
  await host.deploy([functionVersion({ id: "f", triggers: [{ event: "a/b" }], steps, ...more }, {}, 1)]);
}

function driversOf(programs: Readonly<Record<string, Program>>): ReadonlyMap<RuntimeName, Driver> {
  const execute = async ({ input }: { input: StepInput }): Promise<AttemptResult> => {
    const logs: LogLine[] = [];
    try {
      const program = programs[input.ctx.stepId];
      if (program === undefined) throw new Error("no such program");
      return {
        ok: true,
        output: await program(input, (message) => logs.push({ level: "info", message })),
        logs,
      };
    } catch (error) {
      const { message } = error as Error;
      return { ok: false, failure: { code: "ERR_STEP_FAILED", message, retry: true }, logs };
    }
  };
  const driver: Driver = {
    name: "wasm",
    prepare: async () => undefined,
    execute,
    close: async () => undefined,
  };
  return new Map([["wasm", driver]]);
}

/** Writes to a fresh connection and resolves with all that comes back until the other end closes it. */
export function rawExchange(port: number, write: string | Buffer): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(port, "127.0.0.1", () => socket.write(write));
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => (received += chunk));
  socket.on("close", () => resolve(received));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve(received);
    else reject(error);
  });
  return promise;
}

/** The bytes of a POST of JSON, as HTTP/1.1. */
export function rawPost(body: string, headers: readonly string[] = []): string {
  const head = [
    "POST /e/test HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

export interface Http2Client {
  readonly session: ClientHttp2Session;
  request(
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>;
  close(): Promise<void>;
}

/** An HTTP/2 client with prior knowledge, or of TLS. */
export function http2Client(url: string): Http2Client {
  const session = connectHttp2(url, { ca: tls.cert });
  session.on("error", () => {});
  return {
    session,
    request(headers, body) {
      const { promise, resolve, reject } =
        Promise.withResolvers<Awaited<ReturnType<Http2Client["request"]>>>();
      const stream = session.request(
        body === undefined
          ? headers
          : { ":method": "POST", ":path": "/e/test", "content-type": "application/json", ...headers },
      );
      let received: IncomingHttpHeaders = {};
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", (head) => (received = head));
      stream.on("data", (chunk: string) => (text += chunk));
      stream.on("end", () => resolve({ status: Number(received[":status"]), headers: received, text }));
      stream.on("error", reject);
      stream.end(body);
      return promise;
    },
    close: () => new Promise((resolve) => session.close(resolve)),
  };
}
