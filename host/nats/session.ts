import { readFile } from "node:fs/promises";
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import {
  connect,
  createInbox,
  credsAuthenticator,
  nkeyAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";
import { createBatchReader, type BatchReader } from "./batch-reader.ts";
import { createLayout, unavailable } from "./layout.ts";
import { createNames, type Names } from "./names.ts";
import type { NatsOptions } from "./options.ts";
import { createPublisher, type Publisher } from "./publisher.ts";

/** One connection to an installation on NATS, which the broker, the state and the cluster of a host share. */
export interface NatsSession {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly publisher: Publisher;
  readonly reader: BatchReader;
  readonly names: Names;
  readonly clock: Clock;
  /** This host's name. */
  readonly host: string;
  readonly leaseMs: number;
  /** How long finished runs are kept, in milliseconds; undefined: for good. */
  readonly keepRunsMs: number | undefined;
  /** Copies that the server keeps of each stream: with several, a read may come from one that is behind. */
  readonly replicas: number;
  /** Closes the connection when all who share the session have said so. */
  close(): Promise<void>;
}

export interface SessionOptions extends NatsOptions {
  readonly clock: Clock;
  readonly name: string;
}

const oldestServer = [2, 12, 0] as const;
const connectTimeoutMs = 5_000;
const reconnectWaitMs = 250;
/** A connection through which nothing comes any more is given up after so many unanswered pings. */
const unansweredPings = 2;
/** How often a server is pinged, in milliseconds, at most and at least; a silent one is left within a lease. */
const slowestPingMs = 10_000;
const fastestPingMs = 500;

/**
 * Connects, and makes or migrates the streams and buckets. Throws ERR_STORE_UNAVAILABLE when no server answers,
 * ERR_STORE_DENIED when it refuses the credentials, ERR_STORE_OLD when it is too old, ERR_STORE_NEWER.
 */
export async function openSession(url: string, options: SessionOptions): Promise<NatsSession> {
  const { clock, name } = options;
  const prefix = options.prefix ?? "millrace";
  if (!/^[\w-]{1,32}$/.test(prefix)) {
    throw new MillraceError("ERR_STORE_URL", `The prefix ${JSON.stringify(prefix)} is none.`);
  }
  const connection = await connectTo(url, options);
  try {
    checkServer(connection);
    const names = createNames(prefix);
    const manager = await jetStreamOf(connection);
    const { replicas, leaseMs } = await createLayout(manager, names, options);
    const publisher = createPublisher(connection, clock, createInbox());
    const reader = createBatchReader(connection, clock, createInbox());
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      publisher.close();
      reader.close();
      await connection.close();
    };
    return {
      connection,
      client: jetstream(connection),
      manager,
      publisher,
      reader,
      names,
      clock,
      host: name,
      leaseMs,
      keepRunsMs: options.keepRunsMs,
      replicas,
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** A cluster that is between two leaders does not answer. */
async function jetStreamOf(connection: NatsConnection): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(connection, { timeout: connectTimeoutMs });
  } catch (error) {
    throw unavailable("The NATS server's JetStream does not answer", error);
  }
}

/** Connects, and looks at nothing. Throws ERR_STORE_UNAVAILABLE and ERR_STORE_DENIED. */
export async function connectTo(url: string, options: SessionOptions): Promise<NatsConnection> {
  const settings = await connectionOptions(url, options);
  try {
    return await connect(settings);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const denied = /authori[sz]ation|authentication/i.test(message);
    throw new MillraceError(
      denied ? "ERR_STORE_DENIED" : "ERR_STORE_UNAVAILABLE",
      `No connection to ${settings.servers?.toString() ?? url}: ${message}.`,
      { cause: error },
    );
  }
}

async function connectionOptions(url: string, options: SessionOptions): Promise<NodeConnectionOptions> {
  const servers = serversOf(url);
  const { creds, nkey, tls, token } = options;
  const { user = servers[0]?.username, password = servers[0]?.password } = options;
  const credentials = creds === undefined ? undefined : await read(creds);
  const seed = nkey === undefined ? undefined : await read(nkey);
  return {
    servers: servers.map(({ host }) => host),
    name: `millrace ${options.name}`,
    timeout: connectTimeoutMs,
    // A host outlives its servers: what it can't reach now it tries again.
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    maxPingOut: unansweredPings,
    pingInterval: Math.min(
      slowestPingMs,
      Math.max((options.leaseMs ?? Number.POSITIVE_INFINITY) / (unansweredPings + 1), fastestPingMs),
    ),
    ...(credentials && { authenticator: credsAuthenticator(credentials) }),
    ...(seed && { authenticator: nkeyAuthenticator(new TextEncoder().encode(seedOf(seed))) }),
    ...(user ? { user } : {}),
    ...(password ? { pass: password } : {}),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined && !url.startsWith("tls:") ? {} : { tls: tlsOptions(tls ?? {}) }),
  };
}

/** The servers of "nats://[user:password@]host[:port],…"; a scheme in front of the first one is enough. */
function serversOf(url: string): readonly { host: string; username: string; password: string }[] {
  return url.split(",").map((server) => {
    const text = server.includes("://") ? server : `nats://${server}`;
    // Known schemes only have their default ports left out.
    const parsed = URL.parse(text.replace(/^tls:/, "nats:"));
    if (parsed === null || parsed.host === "") {
      throw new MillraceError("ERR_STORE_URL", `${JSON.stringify(server)} names no NATS server.`);
    }
    const { host, username, password } = parsed;
    return { host, username: decodeURIComponent(username), password: decodeURIComponent(password) };
  });
}

function tlsOptions({ ca, cert, key }: NonNullable<NatsOptions["tls"]>): object {
  return {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
  };
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new MillraceError("ERR_STORE_DENIED", `The credentials in ${file} can't be read.`, {
      cause: error,
    });
  }
}

/** The seed alone, of a file that may hold more around it. */
function seedOf(file: Uint8Array): string {
  const text = new TextDecoder().decode(file);
  return /\bS[A-Z2-7]{57}\b/.exec(text)?.[0] ?? text.trim();
}

function checkServer({ info }: NatsConnection): void {
  const version = info?.version ?? "0";
  const parts = version.split(/[.-]/, 3).map(Number);
  const difference = oldestServer.map((wanted, i) => (parts[i] ?? 0) - wanted).find((by) => by !== 0) ?? 0;
  if (difference < 0) {
    throw new MillraceError(
      "ERR_STORE_OLD",
      `The NATS server is version ${version}; ${oldestServer.join(".")} is the oldest that will do.`,
    );
  }
  if (info?.jetstream !== true) {
    throw new MillraceError("ERR_STORE_OLD", `The NATS server ${info?.server_name ?? ""} has no JetStream.`);
  }
}
