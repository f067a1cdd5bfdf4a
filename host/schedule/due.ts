import { createHash } from "node:crypto";
import type { CronTrigger } from "../function/cron.ts";

/** What is due of a schedule by now, and what comes then. Times in milliseconds since 1970-01-01T00:00:00Z. */
export interface Due {
  /** The times of the schedule whose firings happen now, in order; at most `most`. */
  readonly fire: readonly number[];
  /** The last time that is dealt with; `after` when nothing was due. */
  readonly upTo: number;
  /** When to look again; undefined when the schedule has no time any more. */
  readonly nextAt: number | undefined;
}

/** How late a firing may be that the policy `skip` does not leave out, in milliseconds: a host may be restarted meanwhile. */
const latest = 60_000;

/** Decides which of the firings behind `after` that are due happen. The same on every host. */
export function due(
  functionId: string,
  trigger: CronTrigger,
  { after, now, most }: { readonly after: number; readonly now: number; readonly most: number },
): Due {
  const dueAt = delayed(functionId, trigger);
  const fire: number[] = [];
  let upTo = after;
  if (trigger.missed !== "all") {
    const last = lastDue(trigger, now, dueAt);
    if (last !== undefined && last > after) {
      upTo = last;
      // Of those that were missed only the last counts.
      if (trigger.missed === "once" || now - dueAt(last) <= latest) fire.push(last);
    }
  }
  for (let at = trigger.next(upTo); at !== undefined; at = trigger.next(at)) {
    if (dueAt(at) > now) return { fire, upTo, nextAt: dueAt(at) };
    if (fire.length === most) return { fire, upTo, nextAt: now };
    fire.push(at);
    upTo = at;
  }
  return { fire, upTo, nextAt: undefined };
}

/** A time that all firings are behind which a host that was not there may have to make up for. */
export function madeUpBehind(functionId: string, trigger: CronTrigger, now: number): number {
  if (trigger.missed === "all") return 0;
  return (lastDue(trigger, now, delayed(functionId, trigger)) ?? 1) - 1;
}

function delayed(functionId: string, trigger: CronTrigger): (at: number) => number {
  return (at) => at + delay(functionId, trigger, at);
}

function lastDue({ previous }: CronTrigger, now: number, dueAt: (at: number) => number): number | undefined {
  // Times of the schedule are before `now`, and those of their firings may be behind it.
  let at = previous(now + 1);
  while (at !== undefined && dueAt(at) > now) at = previous(at);
  return at;
}

/** By the function and the time. Less than the time to the next firing, so that they stay in order. */
function delay(functionId: string, { jitterMs, pattern, next }: CronTrigger, at: number): number {
  if (jitterMs === 0) return 0;
  const following = next(at);
  const room = following === undefined ? jitterMs : Math.min(jitterMs, following - at - 1);
  const digest = createHash("sha256")
    .update(JSON.stringify([functionId, pattern, at]))
    .digest();
  return Math.floor((digest.readUInt32LE(0) / 2 ** 32) * room);
}
