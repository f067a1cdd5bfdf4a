import type { StoredEvent } from "../../host/broker/broker.ts";
import type { Nudged } from "../../host/executor/peers.ts";
import { MillraceError } from "../../host/errors.ts";
import type { Chance } from "./chance.ts";
import type { Owner, Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** How unreliable the network is at the moment. */
interface Weather {
  /** The share of messages that are lost on the way. */
  loss: number;
  /** The share of messages that take longer than anybody waits. */
  late: number;
  /** The share of deliveries that come twice. */
  twice: number;
  /** How long a message takes at most that is not late, in milliseconds. */
  spread: number;
  /** The share of machines whose messages take up to `slowest` instead. */
  uneven: number;
}

/** What all machines of a simulation share. */
export interface World {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly weather: Weather;
  /** Tells of a broken invariant. */
  violated(what: string): void;
}

/** One life of a host process; a host that starts again is another machine. */
export interface Machine extends Owner {
  readonly name: string;
  gone: boolean;
  paused: boolean;
  /** No message goes in or out. */
  cutOff: boolean;
  /** What befalls it after so many more messages, if anything. */
  fate: { messages: number; strike(): void } | undefined;
  /** Set when its close() has resolved: nothing may come from it any more. */
  closed: boolean;
  /** Its messages take longer than those of others. */
  slow: boolean;
  /** Answers other hosts. */
  nudge: ((runId: string, offered?: StoredEvent) => Nudged) | undefined;
}

/** How long an answer is waited for, in milliseconds. */
const timeoutMs = 5_000;
const askTimeoutMs = 1_000;
/** How long a message of a slow machine takes at most, in milliseconds. */
const slowest = 2_000;

export function createMachine(name: string): Machine {
  return {
    name,
    gone: false,
    paused: false,
    cutOff: false,
    fate: undefined,
    closed: false,
    slow: false,
    nudge: undefined,
  };
}

/** How long one message takes, in milliseconds. */
export function latency({ chance, weather }: World, machine: Machine): number {
  if (chance.happens(weather.late)) return chance.between(2_000, 30_000);
  return chance.between(0, machine.slow ? slowest : weather.spread);
}

/** True when a message to or from this machine does not arrive. Counts towards what is to befall it. */
export function swallowed(world: World, machine: Machine): boolean {
  const { fate } = machine;
  if (fate !== undefined && !machine.gone && --fate.messages <= 0) {
    machine.fate = undefined;
    fate.strike();
  }
  return machine.cutOff || world.chance.happens(world.weather.loss);
}

/**
 * A request to the store, which does `effect` at once when it arrives. Either way may lose or delay it: then the call
 * fails, although the effect may have taken place, or may do so yet.
 */
export function call<T>(world: World, machine: Machine, what: string, effect: () => T): Promise<T> {
  const { scheduler, trace } = world;
  if (machine.gone) return new Promise(() => undefined);
  if (machine.closed) world.violated(`${machine.name} asks the store for ${what} after it was closed`);
  return new Promise<T>((resolve, reject) => {
    const cancel = scheduler.after(
      timeoutMs,
      () => reject(new MillraceError("ERR_STORE_UNAVAILABLE", `No answer to ${what}.`)),
      machine,
    );
    if (swallowed(world, machine)) return;
    scheduler.after(latency(world, machine), () => {
      trace.add(`${scheduler.now()} ${machine.name} ${what}`);
      let answer: () => void;
      try {
        const value = effect();
        answer = () => resolve(value);
      } catch (error) {
        answer = () => reject(error);
      }
      if (swallowed(world, machine)) return;
      scheduler.after(
        latency(world, machine),
        () => {
          cancel();
          answer();
        },
        machine,
      );
    });
  });
}

/** A message to the store that nobody waits for. */
export function tell(world: World, machine: Machine, what: string, effect: () => void): void {
  const { scheduler, trace } = world;
  if (machine.gone || swallowed(world, machine)) return;
  scheduler.after(latency(world, machine), () => {
    trace.add(`${scheduler.now()} ${machine.name} ${what}`);
    effect();
  });
}

/** Asks another host whether it holds a run; "absent" when no answer comes in time. */
export function ask(
  world: World,
  machine: Machine,
  other: Machine | undefined,
  runId: string,
  offered?: StoredEvent,
): Promise<Nudged> {
  const { scheduler, trace } = world;
  return new Promise((resolve) => {
    const answered = (nudged: Nudged, how: string) => (): void => {
      trace.add(`${scheduler.now()} ${machine.name} hears that ${other?.name} ${how} ${runId}`);
      resolve(nudged);
    };
    scheduler.after(askTimeoutMs, answered("absent", "is silent about"), machine);
    if (other === undefined || swallowed(world, machine)) return;
    scheduler.after(
      latency(world, other),
      () => {
        if (other.nudge === undefined || swallowed(world, other)) return;
        const nudged = other.nudge(runId, offered);
        if (machine.cutOff || other.cutOff) return;
        scheduler.after(latency(world, other), answered(nudged, `says ${nudged} of`), machine);
      },
      other,
    );
  });
}
