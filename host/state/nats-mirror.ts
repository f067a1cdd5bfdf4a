import type { KV, KvWatchEntry } from "@nats-io/kv";
import type { QueuedIterator } from "@nats-io/transport-node";
import { onInterruption } from "../nats/interruption.ts";
import { unavailable } from "../nats/layout.ts";
import type { NatsSession } from "../nats/session.ts";

/** A copy of what is mutable, kept up to date: key → value; an empty value counts as none. */
export interface Mirror {
  entries(prefix: string): readonly string[];
  /** What comes behind this prefix in keys, of values that were removed too. */
  tokens(prefix: string): readonly string[];
  has(key: string): boolean;
  /** All changes up to this one are in it. */
  revision(): number;
  /** The newest change that is in it. */
  newest(): number;
  /** Takes note of a write of this host. */
  wrote(key: string, value: string, revision: number): void;
  /** Calls back after each change that the watch has brought; until the returned function is called. */
  onChange(changed: () => void): () => void;
  close(): void;
}

/** How often the server is asked whether the watch has brought everything, in milliseconds. */
const askMs = 5_000;
/** The pause before a watch that could not begin is tried again, in milliseconds. */
const beginAgainMs = 1_000;

/** Reads the keys that the filter names, and watches them from then on. */
export async function startMirror(session: NatsSession, bucket: KV, filter: string[]): Promise<Mirror> {
  const known = new Map<string, { readonly revision: number; readonly value: string }>();
  const listeners = new Set<() => void>();
  /** The watch brings all changes in their order; what is read or written here comes out of turn. */
  let watched = 0;
  let newest = 0;
  const apply = (key: string, value: string, revision: number): void => {
    if ((known.get(key)?.revision ?? 0) >= revision) return;
    known.set(key, { revision, value });
    newest = Math.max(newest, revision);
  };
  const watch = await keepWatching(session, bucket, filter, (entry) => {
    apply(entry.key, entry.operation === "PUT" ? entry.string() : "", entry.revision);
    // A watch begins with what is there: until all of that has come, some of what is older is still missing.
    if (entry.delta === 0) watched = Math.max(watched, entry.revision);
    for (const changed of listeners) changed();
    return watched;
  });
  // The watch does not tell when it has brought all that was there.
  const keys: string[] = [];
  for await (const key of await readCatalog(() => bucket.keys(filter))) keys.push(key);
  await Promise.all(
    keys.map(async (key) => {
      const entry = await readCatalog(() => bucket.get(key));
      if (entry !== null) apply(key, entry.operation === "PUT" ? entry.string() : "", entry.revision);
    }),
  );

  return {
    entries: (prefix) =>
      [...known]
        .filter(([key, { value }]) => key.startsWith(prefix) && value !== "")
        .map(([, { value }]) => value),
    revision: () => watched,
    newest: () => newest,
    // What was removed stays, as an empty value.
    tokens: (prefix) =>
      [...known.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)),
    has: (key) => (known.get(key)?.value ?? "") !== "",
    wrote: apply,
    onChange(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    close: watch.close,
  };
}

/**
 * Watches until it is closed. The client's watch finds out only after a minute that the server has forgotten it, and may
 * give up: so it begins anew after each interruption, and when the server has changes that it has not brought.
 */
async function keepWatching(
  { connection, clock, manager, names }: NatsSession,
  bucket: KV,
  filter: string[],
  take: (entry: KvWatchEntry) => number,
): Promise<{ close(): void }> {
  let watch: QueuedIterator<KvWatchEntry> | undefined;
  let closed = false;
  let watched = 0;

  const begin = async (): Promise<void> => {
    const began = await readCatalog(() => bucket.watch({ key: filter }));
    watch?.stop();
    watch = began;
    if (closed) began.stop();
    void follow(began).catch(beginLater);
  };
  const follow = async (entries: QueuedIterator<KvWatchEntry>): Promise<void> => {
    for await (const entry of entries) watched = take(entry);
  };
  const beginLater = (): void => {
    clock.schedule(clock.now() + beginAgainMs, beginAgain);
  };
  const beginAgain = (): void => {
    if (!closed) begin().catch(beginLater);
  };

  /** Changes of keys that are not watched count too: for them the watch begins anew once for nothing. */
  let seen = 0;
  let cancel: (() => void) | undefined;
  const ask = async (): Promise<void> => {
    try {
      const { state } = await manager.streams.info(`KV_${names.catalog}`);
      if (!closed && state.last_seq > Math.max(watched, seen)) {
        seen = state.last_seq;
        await begin();
      }
    } catch {
      // Asked again in a moment.
    }
    if (!closed) askLater();
  };
  const askLater = (): void => {
    cancel = clock.schedule(clock.now() + askMs, () => void ask());
  };

  await begin();
  askLater();
  onInterruption(connection, { back: beginAgain });
  return {
    close() {
      closed = true;
      cancel?.();
      watch?.stop();
    },
  };
}

export async function readCatalog<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable("The catalog on NATS can't be read", error);
  }
}
