import type { Duplex } from "node:stream";
import type { Dispatcher, Pool } from "undici";
import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { type EngineAddress, findEngine } from "./address.ts";
import { callFailure, unreachable } from "./engine-failure.ts";
import { checkedVersion, type EngineVersion, type VersionAnswer } from "./version.ts";

/** A call that the engine refused, or that did not come to it. */
export class EngineError extends Error {
  /** The HTTP status of its answer; absent: there was none. */
  readonly status: number | undefined;
  readonly failure: StepFailure;

  constructor(failure: StepFailure, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super(failure.message, { cause });
    this.failure = failure;
    this.status = status;
  }
}

/** What is sent with a call. */
interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, or a tar archive. */
  readonly body?: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the whole answer, in milliseconds; a minute by default. */
  readonly timeoutMs?: number;
}

/** An engine of Docker, or of Podman, by the Docker Engine API. All methods throw EngineError. */
export interface DockerEngine {
  /** Connects, if that was not done, and says what answered. */
  connect(): Promise<EngineVersion & { readonly address: EngineAddress }>;
  /** Calls, and reads the JSON that is answered, if any. */
  call(method: "GET" | "POST" | "DELETE", path: string, options?: CallOptions): Promise<unknown>;
  /** Calls, and reads one JSON value after the other while the engine works. */
  follow(path: string, options: CallOptions): AsyncGenerator;
  /**
   * Takes a container's stdin, which is what is written, or its output, which is read in frames. Two connections: one
   * that breaks because the program reads no more must not take unread output with it.
   */
  attach(container: string, streams: "stdin" | "output", signal: AbortSignal): Promise<Duplex>;
  close(): Promise<void>;
}

/** What is open for one address. */
interface Connection {
  readonly address: EngineAddress;
  readonly pool: Pool;
  readonly version: EngineVersion;
}

const minute = 60_000;
const connectMs = 5_000;

/** A client of the engine that the environment names; it connects when it is needed, and again after a failure. */
export function createEngine(env: NodeJS.ProcessEnv = process.env): DockerEngine {
  let connection: Promise<Connection> | undefined;
  let closed = false;

  const connected = (): Promise<Connection> => {
    if (closed) throw new EngineError(failure("ERR_STEP_CANCELLED", "The driver is closed."));
    if (connection !== undefined) return connection;
    const opening = open(env);
    connection = opening;
    // The engine may be started, or the context changed, later.
    opening.catch(() => {
      if (connection === opening) connection = undefined;
    });
    return opening;
  };

  const send = async (
    method: Dispatcher.HttpMethod,
    path: string,
    { query = {}, body, headers = {}, signal }: CallOptions,
  ): Promise<Dispatcher.ResponseData> => {
    const { pool, version, address } = await connected();
    const isArchive = body instanceof Uint8Array;
    const type = body === undefined ? {} : { "content-type": `application/${isArchive ? "x-tar" : "json"}` };
    return request(pool, address, {
      method,
      path: `/v${version.api}${path}${queryText(query)}`,
      headers: { ...type, ...headers },
      body: body === undefined ? null : isArchive ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
  };

  return {
    async connect() {
      const { version, address } = await connected();
      return { ...version, address };
    },
    async call(method, path, options = {}) {
      const late = AbortSignal.timeout(options.timeoutMs ?? minute);
      const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late]);
      const { body, statusCode } = await send(method, path, { ...options, signal });
      const text = await body.text().catch((error: unknown) => lost(error));
      return statusCode === 204 || text === "" ? undefined : parsed(text);
    },
    async *follow(path, options) {
      const { body } = await send("POST", path, options);
      let rest = "";
      try {
        for await (const chunk of body.setEncoding("utf8") as AsyncIterable<string>) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) if (line.trim() !== "") yield parsed(line);
        }
      } catch (error) {
        if (error instanceof EngineError) throw error;
        lost(error);
      }
      if (rest.trim() !== "") yield parsed(rest);
    },
    async attach(container, streams, signal) {
      const { pool, version, address } = await connected();
      const path = `/containers/${container}/attach`;
      const output = { stdout: "1", stderr: "1" };
      const isOutput = streams === "output";
      // Podman stands still when one who writes stdin does not take output too.
      const both = version.product === "Podman" || isOutput;
      const query = { stream: "1", ...(both && output), ...(!isOutput && { stdin: "1" }) };
      const upgrade = { method: "POST", protocol: "tcp", signal };
      try {
        const { socket } = await pool.upgrade({
          path: `/v${version.api}${path}${queryText(query)}`,
          ...upgrade,
        });
        socket.on("error", () => undefined);
        return isOutput ? socket : socket.resume();
      } catch (cause) {
        // Undici does not tell what is answered in place of an upgrade: the engine is asked once more.
        if (isRefusal(cause)) await send("POST", path, { query, signal });
        throw new EngineError(unreachable(address, cause), { cause });
      }
    },
    async close() {
      closed = true;
      const open = await connection?.catch(() => undefined);
      await open?.pool.destroy();
    },
  };
}

async function open(env: NodeJS.ProcessEnv): Promise<Connection> {
  const found = await findEngine(env);
  if (!found.ok) throw new EngineError(found.failure);
  const { address } = found;
  const { origin, socketPath, tls } = address;
  const { Pool } = await import("undici");
  const pool = new Pool(origin, {
    // Waiting for a container takes as long as it takes: callers have their own bounds.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: connectMs,
      ...(socketPath !== undefined && { socketPath }),
      ...(tls && { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: tls.verify }),
    },
  });
  try {
    const signal = AbortSignal.timeout(2 * connectMs);
    const first = { method: "GET" as const, path: "/version", signal };
    const { body } = await request(pool, address, first, true);
    const text = await body.text().catch((error: unknown) => lost(error));
    const version = checkedVersion(parsed(text) as VersionAnswer, address, env);
    if ("code" in version) throw new EngineError(version);
    return { address, pool, version };
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}

async function request(
  pool: Pool,
  address: EngineAddress,
  options: Dispatcher.RequestOptions,
  isFirst = false,
): Promise<Dispatcher.ResponseData> {
  let response: Dispatcher.ResponseData;
  try {
    response = await pool.request(options);
  } catch (cause) {
    throw new EngineError(unreachable(address, cause, isFirst), { cause });
  }
  const { statusCode: status, body } = response;
  if (status < 400) return response;
  const text = await body.text().catch(() => "");
  throw new EngineError(callFailure(address, status, text), { status });
}

function isRefusal(error: unknown): boolean {
  return (error as Error).message === "bad upgrade";
}

function queryText(query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? "" : `?${text}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `The engine answered what is not JSON: ${text.slice(0, 200)}`;
    throw new EngineError(failure("ERR_DOCKER_FAILED", message), { cause });
  }
}

function lost(cause: unknown): never {
  const message = `The connection to the engine ended in the middle of its answer: ${(cause as Error).message}.`;
  throw new EngineError(failure("ERR_DOCKER_UNREACHABLE", message), { cause });
}
