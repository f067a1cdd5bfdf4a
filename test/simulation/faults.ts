import type { Chance } from "./chance.ts";
import type { Fleet, Slot } from "./fleet.ts";
import type { World } from "./machine.ts";

/** What befalls the hosts of one simulation: how often, all together. */
export interface FaultPlan {
  readonly crashes: number;
  readonly pauses: number;
  readonly cuts: number;
  readonly drains: number;
  readonly loss: number;
  readonly late: number;
  readonly twice: number;
  readonly uneven: number;
}

const none: FaultPlan = { crashes: 0, pauses: 0, cuts: 0, drains: 0, loss: 0, late: 0, twice: 0, uneven: 0 };

/** One in eight simulations is without faults; the others have some kinds and not others. */
export function planFaults(chance: Chance): FaultPlan {
  if (chance.happens(1 / 8)) return none;
  const some = (most: number): number => (chance.happens(0.5) ? chance.between(1, most) : 0);
  return {
    crashes: some(6),
    pauses: some(4),
    cuts: some(4),
    drains: some(3),
    loss: chance.happens(0.4) ? chance.pick([0.01, 0.05]) : 0,
    late: chance.happens(0.3) ? 0.02 : 0,
    twice: chance.happens(0.4) ? chance.pick([0.05, 0.3]) : 0,
    uneven: chance.happens(0.3) ? 0.5 : 0,
  };
}

export function isCalm(plan: FaultPlan): boolean {
  return Object.values(plan).every((amount) => amount === 0);
}

/** Spreads the faults over `overMs`: most strike between two messages of a host, so between any two effects. */
export function scheduleFaults(world: World, fleet: Fleet, plan: FaultPlan, overMs: number): void {
  const { scheduler, chance, weather } = world;
  Object.assign(weather, { loss: plan.loss, late: plan.late, twice: plan.twice, uneven: plan.uneven });
  const kinds: readonly [number, (slot: Slot) => void][] = [
    [plan.crashes, (slot) => fleet.crash(slot)],
    [plan.pauses, (slot) => fleet.pause(slot, chance.between(100, 45_000))],
    [plan.cuts, (slot) => fleet.cutOff(slot, chance.between(100, 30_000))],
  ];
  for (const [times, strike] of kinds) {
    for (let i = 0; i < times; i++) {
      scheduler.after(chance.below(overMs), () => {
        const slot = chance.pick(fleet.slots);
        const { machine } = slot;
        if (chance.happens(0.2)) strike(slot);
        else
          machine.fate = {
            messages: chance.between(1, 40),
            strike: () => slot.machine === machine && strike(slot),
          };
      });
    }
  }
  for (let i = 0; i < plan.drains; i++) {
    scheduler.after(chance.below(overMs), () => {
      const slot = chance.pick(fleet.slots);
      const { machine } = slot;
      void fleet.drain(slot);
      // The new host does not wait for the old one to end.
      if (slot.host === undefined)
        scheduler.after(chance.between(0, 20_000), () => slot.machine === machine && fleet.start(slot));
    });
  }
}
