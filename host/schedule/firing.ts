import { createHash } from "node:crypto";
import { v7 } from "uuid";
import type { Event } from "../event/event.ts";
import { cronEventName, type CronTrigger, instant } from "../function/cron.ts";

/** The event of one firing: the same from whichever host. */
export function firing(functionId: string, { pattern, timezone }: CronTrigger, at: number): Event {
  const scheduledAt = instant(at).toISOString();
  const digest = createHash("sha256")
    .update(JSON.stringify([functionId, pattern, timezone, at]))
    .digest();
  return {
    id: v7({ msecs: at, random: digest.subarray(0, 16) }),
    name: cronEventName(functionId),
    data: { cron: pattern, timezone, scheduledAt },
    ts: at,
  };
}
