import type { FunctionVersion } from "../../host/function/version.ts";
import type { Catalog } from "../../host/state/state.ts";
import { call, type Machine, type World } from "./machine.ts";
import type { Server } from "./server.ts";

interface CatalogOptions {
  readonly world: World;
  readonly server: Server;
  readonly machine: Machine;
}

/** The catalog as one machine sees it: what changes in it is mirrored, a little late. */
export function createCatalog({ world, server, machine }: CatalogOptions): Catalog {
  const { scheduler, chance } = world;
  const request = <T>(what: string, effect: () => T): Promise<T> => call(world, machine, what, effect);
  /** By function: the active version, and the revision that made it so. */
  const mirror = new Map<string, { readonly revision: number; readonly version: string | undefined }>();
  const listeners = new Set<() => void>();
  const versions = new Map<string, FunctionVersion>();
  let newest = 0;
  /** Changes that the watch has brought. */
  let watched = 0;

  const apply = (functionId: string, version: string | undefined, revision: number): void => {
    if ((mirror.get(functionId)?.revision ?? 0) >= revision) return;
    mirror.set(functionId, { revision, version });
    newest = Math.max(newest, revision);
  };
  const catchUp = (tell: boolean): void => {
    while (watched < server.activations.length) {
      const { functionId, version } = server.activations[watched++]!;
      apply(functionId, version?.version, watched);
      if (tell) for (const changed of listeners) changed();
    }
  };
  /** Told late rather than never: the connection takes up where it was cut. */
  const notify = (): void => {
    if (machine.gone) server.watchers.delete(notify);
    else if (machine.cutOff) scheduler.after(chance.between(1, 1_000), notify);
    else scheduler.after(chance.between(0, 20), () => catchUp(true), machine);
  };
  catchUp(false);
  server.watchers.add(notify);

  const getVersion: Catalog["getVersion"] = async (functionId, version) => {
    const key = `${functionId}@${version}`;
    const known = versions.get(key) ?? (await request(`get ${key}`, () => server.versions.get(key)));
    if (known !== undefined) versions.set(key, known);
    return known;
  };
  const change = async (what: string, functionId: string, version: string | undefined): Promise<void> => {
    apply(functionId, version, await request(what, () => server.activate(functionId, version)));
  };
  return {
    putVersion: (version) =>
      request(`put ${version.functionId}@${version.version}`, () => {
        server.versions.set(`${version.functionId}@${version.version}`, version);
      }),
    getVersion,
    activate: (functionId, version) => change(`activate ${functionId}@${version}`, functionId, version),
    deactivate: (functionId) => change(`deactivate ${functionId}`, functionId, undefined),
    everTriggeredBy: async () => [...mirror.keys()],
    async active() {
      const chosen = [...mirror].flatMap(([id, { version }]) =>
        version === undefined ? [] : [getVersion(id, version)],
      );
      return (await Promise.all(chosen)).flatMap((version) =>
        version === undefined ? [] : [{ ...version, activatedAt: version.createdAt }],
      );
    },
    putSchemas: () => request("put schemas", () => undefined),
    schemas: async () => ({}),
    revision: () => watched,
    newest: () => newest,
    async watch(changed) {
      listeners.add(changed);
      return { close: async () => void listeners.delete(changed) };
    },
  };
}
