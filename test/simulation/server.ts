import type { Event } from "../../host/event/event.ts";
import type { StoredEvent } from "../../host/broker/broker.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import type { RunHeader } from "../../host/state/state.ts";
import type { World } from "./machine.ts";
import {
  createServerGates,
  createServerQueues,
  type ServerGates,
  type ServerQueues,
} from "./server-gates.ts";
import { createServerQueue, type ServerQueue } from "./server-queue.ts";
import { createServerRuns, type ServerRuns } from "./server-runs.ts";
import { createServerWaits, type ServerWaits } from "./server-waits.ts";

/** One change of what new runs of a function begin on. */
interface Activation {
  readonly at: number;
  readonly functionId: string;
  /** Undefined: no new runs. */
  readonly version: FunctionVersion | undefined;
}

/** The store that all hosts share: it never fails, and whatever it has done stays done. */
export interface Server {
  readonly runs: ServerRuns;
  readonly events: ServerQueue<StoredEvent>;
  readonly wakes: ServerQueue<string>;
  readonly stored: readonly StoredEvent[];
  readonly waits: ServerWaits;
  readonly gates: ServerGates;
  readonly queues: ServerQueues;
  /** The place up to which all events are acknowledged. */
  settled(): number;
  /** Every change of active versions, in order; their number is the catalog's revision. */
  readonly activations: readonly Activation[];
  /** Timers that have not fired. */
  readonly timers: number;
  readonly versions: Map<string, FunctionVersion>;
  publish(event: Event, catalog: number | undefined): boolean;
  setTimer(runId: string, at: number): void;
  /** Resolves to the catalog's revision. */
  activate(functionId: string, version: string | undefined): number;
  active(): readonly FunctionVersion[];
  /** Called after each activation. */
  readonly watchers: Set<() => void>;
}

/** `limit`: of runs that execute steps at once, of every key. */
export function createServer(world: World, limit: number): Server {
  const { scheduler, chance, trace } = world;
  const events = createServerQueue<StoredEvent>(world);
  const wakes = createServerQueue<string>(world);
  const stored: StoredEvent[] = [];
  const ids = new Set<string>();
  const armed = new Set<string>();
  const activations: Activation[] = [];
  const active = new Map<string, FunctionVersion>();
  const versions = new Map<string, FunctionVersion>();
  const watchers = new Set<() => void>();
  /**
   * An event that comes twice at a time may start a run on one host that the other, which acknowledges the event, does
   * not know to be there: the version was deployed, or another one took its place, after the event was published. If the
   * first host then ends, nobody knows of the run. Nothing was promised of it.
   */
  const isStale = ({ eventId, functionId, functionVersion: version }: RunHeader): boolean => {
    const item = events.items.find(({ payload }) => payload.event.id === eventId);
    const known = activations
      .slice(0, item?.payload.catalog ?? 0)
      .findLast((activation) => activation.functionId === functionId);
    const promised = known?.version?.version === version && active.get(functionId)?.version === version;
    return !promised && (item?.deliveries ?? 2) > 1;
  };
  return {
    runs: createServerRuns(isStale),
    events,
    wakes,
    stored,
    waits: createServerWaits(),
    gates: createServerGates(world, limit),
    queues: createServerQueues(),
    settled: () =>
      events.items.reduce((least, { payload }) => Math.min(least, payload.seq - 1), stored.length),
    activations,
    versions,
    watchers,
    get timers() {
      return armed.size;
    },
    publish(event, catalog) {
      if (ids.has(event.id)) return false;
      ids.add(event.id);
      const item = {
        seq: stored.length + 1,
        storedAt: scheduler.now(),
        event,
        ...(catalog === undefined ? {} : { catalog }),
      };
      stored.push(item);
      events.add(`event ${event.id}`, item);
      return true;
    },
    setTimer(runId, at) {
      const key = `${runId} ${at}`;
      if (armed.has(key)) return;
      armed.add(key);
      scheduler.at(at + chance.between(0, 1_500), () => {
        armed.delete(key);
        trace.add(`${scheduler.now()} timer of ${runId}`);
        wakes.add(`timer of ${runId}`, runId);
      });
    },
    activate(functionId, version) {
      const next = version === undefined ? undefined : versions.get(`${functionId}@${version}`);
      if (version !== undefined && next === undefined) throw new Error("no such version");
      if (next === undefined) active.delete(functionId);
      else active.set(functionId, next);
      activations.push({ at: scheduler.now(), functionId, version: next });
      for (const watcher of watchers) watcher();
      return activations.length;
    },
    active: () => [...active.values()],
  };
}
