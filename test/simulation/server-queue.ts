import type { RuntimeName } from "../../runtime/driver.ts";
import { latency, swallowed, type Machine, type World } from "./machine.ts";

/** Something that a host must deal with: an event, or a wake. */
export interface Item<T> {
  readonly name: string;
  readonly payload: T;
  /** Only hosts with this runtime get it. */
  readonly runtime: RuntimeName | undefined;
  state: "ready" | "leased" | "done";
  /** Counts its deliveries. */
  deliveries: number;
  expiresAt: number;
  readonly addedAt: number;
}

/** Where items go to. */
interface Recipient<T> {
  readonly machine: Machine;
  readonly runtimes: readonly RuntimeName[];
  readonly maxInFlight: number;
  deliver(item: Item<T>, delivery: number): void;
}

/** A queue that hands each item to one host at a time, as far as it can know, until it is acknowledged. */
export interface ServerQueue<T> {
  /** Items that nobody has acknowledged. */
  readonly pending: number;
  readonly items: readonly Item<T>[];
  add(name: string, payload: T, runtime?: RuntimeName): void;
  join(recipient: Recipient<T>): void;
  leave(recipient: Recipient<T>): void;
  /** Any delivery's acknowledgement counts. */
  done(item: Item<T>): void;
  back(item: Item<T>, delay: number): void;
  /** The lease begins anew, whoever has it. */
  extend(item: Item<T>): void;
}

/** How long a delivery belongs to a host that says nothing, in milliseconds. */
export const leaseMs = 9_000;

export function createServerQueue<T>(world: World): ServerQueue<T> {
  const { scheduler, chance, trace, weather } = world;
  const items: Item<T>[] = [];
  const recipients = new Map<Recipient<T>, Set<Item<T>>>();
  let pending = 0;

  /** Hands over what waits, each to one of the hosts that have room. */
  const dispatch = (): void => {
    for (const item of items) {
      if (item.state !== "ready") continue;
      const able = [...recipients].filter(
        ([{ runtimes, maxInFlight }, has]) =>
          has.size < maxInFlight && (item.runtime === undefined || runtimes.includes(item.runtime)),
      );
      if (able.length === 0) continue;
      const [recipient, has] = chance.pick(able);
      item.state = "leased";
      has.add(item);
      send(item, recipient);
      watch(item);
    }
  };

  const send = (item: Item<T>, { machine, deliver }: Recipient<T>): void => {
    const delivery = ++item.deliveries;
    item.expiresAt = scheduler.now() + leaseMs;
    const lost = swallowed(world, machine);
    trace.add(`${scheduler.now()} ${item.name} goes to ${machine.name}${lost ? ", and is lost" : ""}`);
    if (!lost) scheduler.after(latency(world, machine), () => deliver(item, delivery), machine);
    if (chance.happens(weather.twice)) {
      scheduler.after(chance.between(0, chance.happens(0.5) ? 200 : 2 * leaseMs), () => {
        if (item.state === "leased") free(item);
      });
    }
  };

  /** Frees the item when its lease has run out; it is asked for again whenever that has been put off. */
  const watch = (item: Item<T>): void => {
    const { deliveries } = item;
    scheduler.at(item.expiresAt, () => {
      if (item.state !== "leased" || item.deliveries !== deliveries) return;
      if (item.expiresAt > scheduler.now()) watch(item);
      else free(item);
    });
  };

  const release = (item: Item<T>): void => {
    for (const has of recipients.values()) has.delete(item);
  };

  const free = (item: Item<T>): void => {
    item.state = "ready";
    release(item);
    soon();
  };

  let asked = false;
  /** In a task of its own, so that items and hosts may come together in any way. */
  const soon = (): void => {
    if (asked) return;
    asked = true;
    scheduler.after(0, () => {
      asked = false;
      dispatch();
    });
  };

  return {
    items,
    get pending() {
      return pending;
    },
    add(name, payload, runtime) {
      items.push({
        name,
        payload,
        runtime,
        state: "ready",
        deliveries: 0,
        expiresAt: 0,
        addedAt: scheduler.now(),
      });
      pending += 1;
      soon();
    },
    join(recipient) {
      recipients.set(recipient, new Set());
      soon();
    },
    leave(recipient) {
      recipients.delete(recipient);
    },
    done(item) {
      if (item.state === "done") return;
      item.state = "done";
      pending -= 1;
      release(item);
      items.splice(items.indexOf(item), 1);
      soon();
    },
    back(item, delay) {
      if (item.state !== "leased") return;
      const { deliveries } = item;
      scheduler.after(delay, () => {
        if (item.state === "leased" && item.deliveries === deliveries) free(item);
      });
    },
    extend(item) {
      if (item.state === "leased") item.expiresAt = scheduler.now() + leaseMs;
    },
  };
}
