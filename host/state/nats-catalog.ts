import { Kvm } from "@nats-io/kv";
import type { Json } from "../../runtime/json.ts";
import { triggerEvent } from "../function/document.ts";
import type { FunctionVersion } from "../function/version.ts";
import { unavailable } from "../nats/layout.ts";
import { token, untoken } from "../nats/names.ts";
import type { NatsSession } from "../nats/session.ts";
import { readCatalog, startMirror } from "./nats-mirror.ts";
import type { ActiveVersion, Catalog } from "./state.ts";

const versionKey = (functionId: string, version: string): string =>
  `version.${token(functionId)}.${token(version)}`;
const activeKey = (functionId: string): string => `active.${token(functionId)}`;
const triggerKey = (eventName: string, functionId: string): string =>
  `trigger.${token(eventName)}.${token(functionId)}`;
const schemaKey = (eventName: string): string => `schema.${token(eventName)}`;

/** Versions, which never change, and what does: the active ones and the schemas, of which each host keeps a mirror. */
export async function createNatsCatalog(session: NatsSession): Promise<Catalog & { close(): Promise<void> }> {
  const { client, names, replicas } = session;
  const description = "Function versions, which of them are active, and event schemas";
  // Read from the leader alone: what a copy that is behind does not have yet would count as not there.
  const options = { description, replicas, allow_direct: false };
  const bucket = await readCatalog(() => new Kvm(client).create(names.catalog, options));
  const mirror = await startMirror(session, bucket, ["active.*", "schema.*", "trigger.*.*"]);
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
    const entry = await readCatalog(() => bucket.get(key));
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
    async activate(functionId, version, at) {
      const [known] = mirror.entries(activeKey(functionId)).map(parseActive);
      const triggers = (await getVersion(functionId, version))?.document.triggers ?? [];
      // Before the version is active: a run of it must never be without.
      const keys = triggers.map((trigger) => triggerKey(triggerEvent(functionId, trigger), functionId));
      for (const key of new Set(keys)) if (!mirror.has(key)) await put(key, "1");
      const since = known?.version === version ? known.activatedAt : at;
      const active: Active = { functionId, version, ...(since === undefined ? {} : { activatedAt: since }) };
      await put(activeKey(functionId), JSON.stringify(active));
    },
    deactivate: (functionId) => remove(activeKey(functionId)),
    everTriggeredBy: async (eventName) => mirror.tokens(triggerKey(eventName, "")).map(untoken),
    async active() {
      const chosen = mirror.entries("active.").map(parseActive);
      const found = await Promise.all(
        chosen.map(async ({ functionId, version: id, activatedAt }): Promise<ActiveVersion | undefined> => {
          const version = await getVersion(functionId, id);
          return version && { ...version, activatedAt: activatedAt ?? version.createdAt };
        }),
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

/** What stands under the key of an active version. */
interface Active {
  readonly functionId: string;
  readonly version: string;
  /** Missing where an older host wrote it. */
  readonly activatedAt?: number;
}

function parseActive(value: string): Active {
  return JSON.parse(value) as Active;
}

async function write<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw unavailable("The catalog on NATS did not take the change", error);
  }
}
