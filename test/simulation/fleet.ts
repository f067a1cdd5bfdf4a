import { assembleHost } from "../../host/assemble.ts";
import { createIntake } from "../../host/event/intake.ts";
import type { Host } from "../../host/host.ts";
import type { Store } from "../../host/store.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import { createChance } from "./chance.ts";
import { createSimulatedDrivers, type Executions } from "./driver.ts";
import { createMachine, type Machine, type World } from "./machine.ts";
import type { Server } from "./server.ts";
import { createStore } from "./store.ts";

/** A place where a host runs, one life after the other. */
export interface Slot {
  readonly runtimes: readonly RuntimeName[];
  machine: Machine;
  /** Undefined while it starts. */
  host: Host | undefined;
  lives: number;
}

/** The hosts of a simulation, and what can be done to them. */
export interface Fleet {
  readonly slots: readonly Slot[];
  start(slot: Slot): void;
  crash(slot: Slot): void;
  /** Nothing of the host goes on for so long; then it believes what it believed before. */
  pause(slot: Slot, forMs: number): void;
  cutOff(slot: Slot, forMs: number): void;
  /** Ends the host as an operator does. */
  drain(slot: Slot): Promise<void>;
  /** Has each host run, reached and unhurt. */
  heal(): void;
}

export interface FleetOptions {
  readonly world: World;
  readonly server: Server;
  readonly executions: Executions;
  readonly runtimes: readonly (readonly RuntimeName[])[];
  readonly maxRuns: number;
  readonly slow: number;
  readonly failing: number;
  readonly meddle: (runId: string) => void;
  /** Stands between a host and its store, to break something on purpose. */
  readonly wrap: ((store: Store, machine: Machine) => Store) | undefined;
}

export function createFleet(options: FleetOptions): Fleet {
  const { world, server, wrap = (store: Store) => store } = options;
  const { scheduler, chance, trace } = world;
  const machines = new Map<string, Machine>();

  const tell = (slot: Slot, what: string): void =>
    trace.add(`${scheduler.now()} ${slot.machine.name} ${what}`);

  const start = (slot: Slot): void => {
    slot.lives += 1;
    const machine = createMachine(`${options.runtimes.indexOf(slot.runtimes)}.${slot.lives}`);
    machine.slow = chance.happens(world.weather.uneven);
    machines.set(machine.name, machine);
    slot.machine = machine;
    slot.host = undefined;
    tell(slot, `starts with ${slot.runtimes.join()}`);
    const clock = scheduler.clock(machine);
    const { random } = createChance(chance.below(2 ** 32));
    const store = createStore({ world, server, machine, other: (name) => machines.get(name) });
    void assembleHost(wrap(store, machine), {
      name: machine.name,
      clock,
      random,
      drivers: createSimulatedDrivers(slot.runtimes, { ...options, machine }),
      intake: createIntake(clock, random),
      maxRuns: options.maxRuns,
      graceMs: chance.pick([0, 50, 2_000, 20_000]),
    }).then(
      (host) => {
        if (slot.machine === machine) slot.host = host;
        return undefined;
      },
      (error: unknown) => {
        tell(slot, `does not start: ${String(error)}`);
        // A supervisor starts it once more.
        machine.gone = true;
        if (slot.machine === machine) scheduler.after(1_000, () => slot.machine === machine && start(slot));
      },
    );
  };

  const crash = (slot: Slot): void => {
    if (slot.machine.gone) return;
    tell(slot, "crashes");
    slot.machine.gone = true;
    slot.host = undefined;
    const { machine } = slot;
    scheduler.after(chance.between(0, 30_000), () => slot.machine === machine && start(slot));
  };

  const resume = (machine: Machine): void => {
    if (!machine.paused) return;
    machine.paused = false;
    scheduler.resumed(machine);
  };

  const slots = options.runtimes.map((runtimes): Slot => ({
    runtimes,
    machine: createMachine(""),
    host: undefined,
    lives: 0,
  }));
  return {
    slots,
    start,
    crash,
    pause(slot, forMs) {
      const { machine } = slot;
      if (machine.gone || machine.paused) return;
      tell(slot, `is paused for ${forMs}`);
      machine.paused = true;
      scheduler.after(forMs, () => resume(machine));
    },
    cutOff(slot, forMs) {
      const { machine } = slot;
      if (machine.gone) return;
      tell(slot, `is cut off for ${forMs}`);
      machine.cutOff = true;
      scheduler.after(forMs, () => (machine.cutOff = false));
    },
    async drain(slot) {
      const { machine, host } = slot;
      if (host === undefined) return;
      slot.host = undefined;
      tell(slot, "drains");
      await host.close();
      machine.closed = true;
      machine.gone = true;
      trace.add(`${scheduler.now()} ${machine.name} is closed`);
    },
    heal() {
      for (const machine of machines.values()) {
        machine.fate = undefined;
        machine.cutOff = false;
        machine.slow = false;
        resume(machine);
      }
      for (const slot of slots) if (slot.machine.gone) start(slot);
    },
  };
}
