import { nanoseconds } from "./clock.ts";
import { errno } from "./errno.ts";
import type { StepWorld } from "./world.ts";

const subscriptionBytes = 48;
const eventBytes = 32;

/** Waits until one of the subscriptions is due: stdio always is, a clock at its time. */
export function pollOneoff(
  world: StepWorld,
  view: () => DataView,
  open: ReadonlySet<number>,
): (subscriptions: number, events: number, count: number, eventCountPointer: number) => number {
  const { ambient } = world;
  /** When the subscription is due, in nanoseconds of the monotonic clock; undefined: its clock is unknown. */
  const due = (memory: DataView, at: number, now: bigint): bigint | undefined => {
    if (memory.getUint8(at + 8) !== 0) return 0n;
    const timeout = memory.getBigUint64(at + 24, true);
    if ((memory.getUint16(at + 40, true) & 1) === 0) return now + timeout;
    const clock = nanoseconds(ambient, memory.getUint32(at + 16, true));
    return clock === undefined ? undefined : now + timeout - clock;
  };
  return (subscriptions: number, events: number, count: number, eventCountPointer: number) => {
    if (count === 0) return errno.inval;
    const memory = view();
    const began = ambient.monotonicClock();
    const each = (visit: (at: number, dueAt: bigint | undefined) => void): void => {
      for (let index = 0; index < count >>> 0; index++) {
        const at = (subscriptions >>> 0) + subscriptionBytes * index;
        visit(at, due(memory, at, began));
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
      const type = memory.getUint8(at + 8);
      const known =
        type === 0 ? due(memory, at, began) !== undefined : open.has(memory.getUint32(at + 16, true));
      new Uint8Array(memory.buffer, event, eventBytes).fill(0);
      memory.setBigUint64(event, memory.getBigUint64(at, true), true);
      memory.setUint16(event + 8, known ? errno.success : type === 0 ? errno.inval : errno.badf, true);
      memory.setUint8(event + 10, type);
      if (type !== 0) memory.setBigUint64(event + 16, 1n, true);
    });
    memory.setUint32(eventCountPointer >>> 0, written, true);
    return errno.success;
  };
}
