import { define } from "../function/define.ts";
import { invokedFunction, invokeEventName } from "../function/define-invoke.ts";
import type { Definition } from "../function/definition.ts";
import type { FunctionVersion } from "../function/version.ts";
import { checkInvoked } from "./invoked-functions.ts";
import type { Scheduled } from "../schedule/scheduler.ts";
import type { ActiveVersion, Catalog } from "../state/state.ts";

/** The functions of this host: which are active, and every version that one of its runs needs. */
export interface Definitions {
  /** Reads the active versions from the catalog; resolves to those that were not active before. */
  load(): Promise<readonly FunctionVersion[]>;
  /** Stores versions and makes them the active ones. Throws ERR_FUNCTION_INVOKE. */
  deploy(versions: readonly FunctionVersion[]): Promise<void>;
  remove(functionId: string): Promise<void>;
  active(): readonly ActiveVersion[];
  /** Whether new runs of the function begin, also if this host has not heard of it yet. */
  isActive(functionId: string): Promise<boolean>;
  /** The active functions that have schedules. */
  scheduled(): readonly Scheduled[];
  /** The ids of all functions that this event name triggered at any time, on any host. */
  everTriggeredBy(eventName: string): Promise<readonly string[]>;
  /** The active functions with a trigger for this event name. */
  triggeredBy(eventName: string): readonly Definition[];
  /** The active version of a function. */
  current(functionId: string): Definition | undefined;
  /** The version on which a run began; undefined when the catalog does not have it. */
  get(functionId: string, version: string): Promise<Definition | undefined>;
}

/** Compiled versions that are remembered; one that was forgotten is compiled again when a run needs it. */
const keptDefinitions = 1_000;

export function createDefinitions(catalog: Catalog): Definitions {
  const active = new Map<string, ActiveVersion>();
  const compiled = new Map<string, Definition>();
  let byEvent = new Map<string, Definition[]>();

  const compile = (version: FunctionVersion): Definition => {
    const key = `${version.functionId}@${version.version}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const definition = define(version);
    compiled.set(key, definition);
    if (compiled.size > keptDefinitions) forgetOldest();
    return definition;
  };

  /** Active versions stay: each deployment goes through all of them. */
  const forgetOldest = (): void => {
    for (const [key, { id, version }] of compiled) {
      if (active.get(id)?.version === version) continue;
      compiled.delete(key);
      return;
    }
  };

  const isActive: Definitions["isActive"] = async (functionId) =>
    active.has(functionId) || (await catalog.active()).some((one) => one.functionId === functionId);

  const index = (): void => {
    byEvent = new Map();
    for (const version of active.values()) {
      const definition = compile(version);
      const names = [invokeEventName(definition.id), ...definition.triggers.map((trigger) => trigger.event)];
      for (const event of new Set(names)) {
        const sharing = byEvent.get(event);
        if (sharing === undefined) byEvent.set(event, [definition]);
        else sharing.push(definition);
      }
    }
  };

  /** What this process knows by now to be active: another host may have been there since it was asked for a change. */
  const load = async (): Promise<readonly FunctionVersion[]> => {
    for (;;) {
      const newest = catalog.newest();
      const stored = await catalog.active();
      if (catalog.newest() !== newest) continue;
      const before = new Map(active);
      active.clear();
      for (const version of stored) active.set(version.functionId, version);
      index();
      return stored.filter(({ functionId, version }) => before.get(functionId)?.version !== version);
    }
  };

  return {
    load,
    async deploy(versions) {
      await checkInvoked(versions, isActive);
      // Compiled first: a version that can't be compiled must not become the active one.
      for (const version of versions) compile(version);
      await Promise.all(versions.map((version) => catalog.putVersion(version)));
      await Promise.all(
        versions.map(({ functionId, version, createdAt }) =>
          catalog.activate(functionId, version, createdAt),
        ),
      );
      await load();
    },
    async remove(functionId) {
      await catalog.deactivate(functionId);
      await load();
    },
    active: () => [...active.values()],
    isActive,
    scheduled: () =>
      [...active.values()].flatMap((version) => {
        const { functionId, activatedAt } = version;
        const triggers = compile(version).triggers.flatMap(({ cron }) => (cron === undefined ? [] : [cron]));
        return triggers.length === 0 ? [] : [{ functionId, activatedAt, triggers }];
      }),
    async everTriggeredBy(eventName) {
      const invoked = invokedFunction(eventName);
      return [...(await catalog.everTriggeredBy(eventName)), ...(invoked === undefined ? [] : [invoked])];
    },
    triggeredBy: (eventName) => byEvent.get(eventName) ?? [],
    current(functionId) {
      const version = active.get(functionId);
      return version && compile(version);
    },
    async get(functionId, version) {
      const known = compiled.get(`${functionId}@${version}`);
      if (known !== undefined) return known;
      const stored = await catalog.getVersion(functionId, version);
      return stored === undefined ? undefined : compile(stored);
    },
  };
}
