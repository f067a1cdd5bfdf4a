import { nanoseconds } from "./clock.ts";
import { errno } from "./errno.ts";
import type { Memory } from "./preview1-memory.ts";
import type { StepWorld } from "./world.ts";

const subscriptionBytes = 48;
const eventBytes = 32;

/** Waits until one of the subscriptions is due: stdio always is, a clock at its time. */
export function pollOneoff(
  world: StepWorld,
  memory: Memory,
  isOpen: (fd: number) => boolean,
): (subscriptions: number, events: number, count: number, eventCountPointer: number) => number {
  const { ambient } = world;
  /** When the subscription is due, in nanoseconds of the monotonic clock; undefined: its clock is unknown. */
  const due = (view: DataView, at: number, now: bigint): bigint | undefined => {
    if (view.getUint8(at + 8) !== 0) return 0n;
    const timeout = view.getBigUint64(at + 24, true);
    if ((view.getUint16(at + 40, true) & 1) === 0) return now + timeout;
    const clock = nanoseconds(ambient, view.getUint32(at + 16, true));
    return clock === undefined ? undefined : now + timeout - clock;
  };
  return (subscriptions: number, events: number, count: number, eventCountPointer: number) => {
    if (count === 0) return errno.inval;
    const view = new DataView(memory());
    const began = ambient.monotonicClock();
    const each = (visit: (at: number, dueAt: bigint | undefined) => void): void => {
      for (let index = 0; index < count >>> 0; index++) {
        const at = (subscriptions >>> 0) + subscriptionBytes * index;
        visit(at, due(view, at, began));
      }
    };
    let first: bigint | undefined;
    each((_at, dueAt = 0n) => {
      if (first === undefined || dueAt < first) first = dueAt;
    });
    const until = first ?? 0n;
    if (until > began) ambient.waitUntil(until);
    let written = 0;
    each((at, dueAt = 0n) => {
      if (dueAt > until) return;
      const event = (events >>> 0) + eventBytes * written++;
      const type = view.getUint8(at + 8);
      const known = type === 0 ? due(view, at, began) !== undefined : isOpen(view.getUint32(at + 16, true));
      new Uint8Array(view.buffer, event, eventBytes).fill(0);
      view.setBigUint64(event, view.getBigUint64(at, true), true);
      view.setUint16(event + 8, known ? errno.success : type === 0 ? errno.inval : errno.badf, true);
      view.setUint8(event + 10, type);
      if (type !== 0) view.setBigUint64(event + 16, 1n, true);
    });
    view.setUint32(eventCountPointer >>> 0, written, true);
    return errno.success;
  };
}
