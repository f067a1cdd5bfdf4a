import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm } from "@nats-io/kv";
import { added, type KeyValues, keysAPage, keyValueBounds } from "../../runtime/key-values.ts";
import { unavailable } from "../nats/layout.ts";
import { token, untoken } from "../nats/names.ts";
import type { NatsSession } from "../nats/session.ts";

/** What is left of a removed key goes after this: long enough for a copy that is behind to learn of it. */
const markerMs = 3_600_000;
/** How often an increment begins again because others were before. */
const mostRaces = 1_000;

/** Key-value stores in one bucket: a subject a key, behind its function's. */
export async function createNatsKeyValues({
  client,
  names,
  replicas,
}: Pick<NatsSession, "client" | "names" | "replicas">): Promise<KeyValues> {
  const description = "Keys and values of functions";
  // Read from the leader alone: a function sees its own writes.
  const options = { description, replicas, allow_direct: false, markerTTL: markerMs };
  const bucket = await asked(() => new Kvm(client).create(names.keyValues, options));
  const counts = createCounts(bucket);

  const read = async (functionId: string, key: string): Promise<KvEntry | undefined> => {
    const entry = await asked(() => bucket.get(place(functionId, key)));
    return entry === null || entry.operation !== "PUT" ? undefined : entry;
  };

  /** Whether it was done; false when the key is no longer, or already, at another revision. */
  const write = async (
    functionId: string,
    key: string,
    value: Uint8Array,
    over: number | null | undefined,
  ): Promise<boolean> => {
    const at = place(functionId, key);
    try {
      if (over === undefined) await bucket.put(at, value);
      else if (over === null) await bucket.create(at, value);
      else await bucket.update(at, value, over);
    } catch (error) {
      if (isConflict(error)) return false;
      throw unavailable("The key-value store on NATS did not take the change", error);
    }
    if (over === undefined || over === null) counts.written(functionId);
    return true;
  };

  /** Whether the function may not have this key, which it does not have yet. */
  const isFull = async (functionId: string, key: string): Promise<boolean> =>
    (await counts.mayBeFull(functionId)) && (await read(functionId, key)) === undefined;

  return {
    async get(functionId, key) {
      const entry = await read(functionId, key);
      return entry && { value: entry.value, revision: String(entry.revision) };
    },
    async set(functionId, key, value, over) {
      // A revision that is none, or of another store's kind, is nobody's.
      const revision = typeof over === "string" ? revisionOf(over) : over;
      if (typeof over === "string" && revision === undefined) return "changed";
      if (typeof over !== "string" && (await isFull(functionId, key))) return "full";
      return (await write(functionId, key, value, revision)) ? "done" : "changed";
    },
    async delete(functionId, key) {
      if ((await read(functionId, key)) === undefined) return;
      await asked(() => bucket.purge(place(functionId, key), { ttl: `${markerMs / 1_000}s` }));
    },
    async keys(functionId, after = "") {
      const all = await keysOf(bucket, functionId);
      const behind = all.filter((key) => compare(key, after) > 0).toSorted(compare);
      const keys = behind.slice(0, keysAPage);
      const next = behind.length > keysAPage ? keys.at(-1) : undefined;
      return { keys, ...(next !== undefined && { next }) };
    },
    async increment(functionId, key, delta) {
      for (let race = 0; race < mostRaces; race++) {
        const found = await read(functionId, key);
        const sum = added(found?.value, delta);
        if (sum === undefined) return "no-number";
        if (found === undefined && (await isFull(functionId, key))) return "full";
        if (await write(functionId, key, Buffer.from(String(sum)), found?.revision ?? null)) return sum;
      }
      throw unavailable("The key-value store on NATS", new Error("others change the key all the time"));
    },
  };
}

/** How many keys functions have, at most: counted once, and again when so many were written since that it may matter. */
function createCounts(bucket: KV) {
  const counts = new Map<string, number>();
  const counting = new Map<string, Promise<number>>();
  const count = async (functionId: string): Promise<number> => {
    try {
      const { length } = await keysOf(bucket, functionId);
      counts.set(functionId, length);
      return length;
    } finally {
      counting.delete(functionId);
    }
  };
  return {
    written(functionId: string): void {
      const known = counts.get(functionId);
      if (known !== undefined) counts.set(functionId, known + 1);
    },
    async mayBeFull(functionId: string): Promise<boolean> {
      const known = counts.get(functionId);
      if (known !== undefined && known < keyValueBounds.keys) return false;
      // Whoever asks meanwhile waits for the same answer.
      const under = counting.get(functionId) ?? count(functionId);
      counting.set(functionId, under);
      return (await under) >= keyValueBounds.keys;
    },
  };
}

function place(functionId: string, key: string): string {
  return `${token(functionId)}.${token(key)}`;
}

async function keysOf(bucket: KV, functionId: string): Promise<readonly string[]> {
  const prefix = `${token(functionId)}.`;
  return asked(async () => {
    const keys: string[] = [];
    for await (const key of await bucket.keys(`${prefix}*`)) keys.push(untoken(key.slice(prefix.length)));
    return keys;
  });
}

/** By bytes of UTF-8, as the embedded store has them. */
function compare(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function revisionOf(text: string): number | undefined {
  return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined;
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  const conflicts: number[] = [
    JetStreamApiCodes.StreamWrongLastSequence,
    JetStreamApiCodes.StreamWrongLastSequenceUnknown,
  ];
  return conflicts.includes(error.code);
}

async function asked<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable("The key-value store on NATS does not answer", error);
  }
}
