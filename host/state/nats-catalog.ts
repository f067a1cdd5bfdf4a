import { Kvm, type KV } from "@nats-io/kv";
import type { Json } from "../../runtime/json.ts";
import type { FunctionVersion } from "../function/version.ts";
import { unavailable } from "../nats/layout.ts";
import { token, untoken } from "../nats/names.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Catalog } from "./state.ts";

/** A copy of what is mutable, kept up to date: key → value; an empty value counts as none. */
interface Mirror {
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

const versionKey = (functionId: string, version: string): string =>
  `version.${token(functionId)}.${token(version)}`;
const activeKey = (functionId: string): string => `active.${token(functionId)}`;
const triggerKey = (eventName: string, functionId: string): string =>
  `trigger.${token(eventName)}.${token(functionId)}`;
const schemaKey = (eventName: string): string => `schema.${token(eventName)}`;

/** Versions, which never change, and what does: the active ones and the schemas, of which each host keeps a mirror. */
export async function createNatsCatalog({
  client,
  names,
  replicas,
}: Pick<NatsSession, "client" | "names" | "replicas">): Promise<Catalog & { close(): Promise<void> }> {
  const bucket = await new Kvm(client).create(names.catalog, {
    description: "Function versions, which of them are active, and event schemas",
    replicas,
  });
  const mirror = await startMirror(bucket, ["active.*", "schema.*", "trigger.*.*"]);
  const versions = new Map<string, FunctionVersion>();

  const put = async (key: string, value: string): Promise<void> => {
    mirror.wrote(key, value, await write(() => bucket.put(key, value)));
  };
  /** Also what is not known here: another host may just have made it. */
  const remove = (key: string): Promise<void> => put(key, "");

  const getVersion: Catalog["getVersion"] = async (functionId, version) => {
    const key = versionKey(functionId, version);
    const known = versions.get(key);
    if (known !== undefined) return known;
    const entry = await read(() => bucket.get(key));
    if (entry === null || entry.length === 0) return undefined;
    const stored = entry.json<FunctionVersion>();
    versions.set(key, stored);
    return stored;
  };

  return {
    async putVersion(version) {
      const key = versionKey(version.functionId, version.version);
      if ((await getVersion(version.functionId, version.version)) !== undefined) return;
      // Two hosts may store the same version at once: it is the same.
      await write(() => bucket.put(key, JSON.stringify(version)));
    },
    getVersion,
    async activate(functionId, version) {
      const triggers = (await getVersion(functionId, version))?.document.triggers ?? [];
      // Before the version is active: a run of it must never be without.
      for (const key of new Set(triggers.map(({ event }) => triggerKey(event, functionId)))) {
        if (!mirror.has(key)) await put(key, "1");
      }
      await put(activeKey(functionId), JSON.stringify({ functionId, version }));
    },
    deactivate: (functionId) => remove(activeKey(functionId)),
    everTriggeredBy: async (eventName) => mirror.tokens(triggerKey(eventName, "")).map(untoken),
    async active() {
      const chosen = mirror
        .entries("active.")
        .map((value) => JSON.parse(value) as { functionId: string; version: string });
      const found = await Promise.all(
        chosen.map(({ functionId, version }) => getVersion(functionId, version)),
      );
      return found
        .filter((version) => version !== undefined)
        .toSorted((a, b) => (a.functionId < b.functionId ? -1 : 1));
    },
    async putSchemas(byName) {
      for (const [name, schema] of Object.entries(byName)) {
        if (schema === null) await remove(schemaKey(name));
        else await put(schemaKey(name), JSON.stringify({ name, schema }));
      }
    },
    async schemas() {
      const stored = mirror
        .entries("schema.")
        .map((value) => JSON.parse(value) as { name: string; schema: Json });
      return Object.fromEntries(stored.map(({ name, schema }) => [name, schema]));
    },
    revision: () => mirror.revision(),
    newest: () => mirror.newest(),
    async watch(changed) {
      const stop = mirror.onChange(changed);
      return { close: async () => stop() };
    },
    close: async () => mirror.close(),
  };
}

async function startMirror(bucket: KV, filter: string[]): Promise<Mirror> {
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

  const watch = await read(() => bucket.watch({ key: filter }));
  void (async () => {
    for await (const entry of watch) {
      const { key, revision } = entry;
      const value = entry.operation === "PUT" ? entry.string() : "";
      apply(key, value, revision);
      watched = revision;
      for (const changed of listeners) changed();
    }
  })();
  // The watch does not tell when it has brought all that was there.
  const keys: string[] = [];
  for await (const key of await read(() => bucket.keys(filter))) keys.push(key);
  await Promise.all(
    keys.map(async (key) => {
      const entry = await read(() => bucket.get(key));
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
    close: () => watch.stop(),
  };
}

async function read<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable("The catalog on NATS can't be read", error);
  }
}

async function write<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable("The catalog on NATS did not take the change", error);
  }
}
