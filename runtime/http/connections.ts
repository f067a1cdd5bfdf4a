import type { Agent, Dispatcher } from "undici";
import { guardedLookup, type Resolver, systemResolver } from "../egress/guarded-lookup.ts";

/** How receivers are found and trusted. */
export interface ConnectionOptions {
  /** In place of the operating system's. */
  readonly resolve?: Resolver;
  /** PEM: certificates that sign servers, in place of those that Node knows. */
  readonly ca?: string;
  /** Connections to one receiver at once. */
  readonly most: number;
}

/** Connections that attempts share, one after the other, and on HTTP/2 at once. */
export interface Connections {
  /** `mayBePrivate`: connections to private addresses are made, and kept apart from the others. */
  for(mayBePrivate: boolean): Promise<Dispatcher>;
  close(): Promise<void>;
}

const connectMs = 10_000;
/** How long a connection that nobody uses is kept, in milliseconds. */
const keepMs = 10_000;
/** Of the head of an answer, in bytes. */
const mostHeadBytes = 64 * 1024;

export function createConnections({ resolve = systemResolver, ca, most }: ConnectionOptions): Connections {
  const agents = new Map<boolean, Promise<Agent>>();

  const open = async (mayBePrivate: boolean): Promise<Agent> => {
    // Loaded when needed: most hosts have no step of this runtime.
    const { Agent: UndiciAgent } = await import("undici");
    return new UndiciAgent({
      allowH2: true,
      connections: most,
      keepAliveTimeout: keepMs,
      maxHeaderSize: mostHeadBytes,
      // Attempts have their own time.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        lookup: guardedLookup(resolve, mayBePrivate),
        timeout: connectMs,
        ...(ca !== undefined && { ca }),
      },
    });
  };

  return {
    for(mayBePrivate) {
      const found = agents.get(mayBePrivate) ?? open(mayBePrivate);
      agents.set(mayBePrivate, found);
      return found;
    },
    async close() {
      for (const agent of agents.values()) await (await agent).destroy();
    },
  };
}
