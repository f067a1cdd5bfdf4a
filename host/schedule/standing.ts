import type { Broker } from "../broker/broker.ts";
import { type Clock, clockSkewMs } from "../clock.ts";
import { cronEventName, type CronTrigger } from "../function/cron.ts";
import { madeUpBehind } from "./due.ts";
import { firing } from "./firing.ts";

interface Schedule {
  readonly functionId: string;
  readonly activatedAt: number;
  readonly trigger: CronTrigger;
}

interface StandingOptions {
  readonly clock: Clock;
  readonly broker: Pick<Broker, "readEvents" | "keeps">;
}

/** Stored events of a function that are looked through at once. */
const looked = 500;

/** The time of a schedule's last firing that is stored, or behind which all that are not stored were missed. */
export async function standing(
  { functionId, activatedAt, trigger }: Schedule,
  { clock, broker }: StandingOptions,
): Promise<number> {
  const now = clock.now();
  const keptMs = await broker.keeps();
  // A firing that is older may have been stored, and be gone by now.
  const known = now - keptMs + Math.min(clockSkewMs, keptMs / 2);
  const since = Math.max(activatedAt, known, madeUpBehind(functionId, trigger, now));
  const name = cronEventName(functionId);
  for (let beforeSeq: number | undefined; ;) {
    const filter = { name, newestFirst: true, limit: looked };
    const page = await broker.readEvents(beforeSeq === undefined ? filter : { ...filter, beforeSeq });
    // An event of that name that somebody else published says nothing of the schedule, nor does another schedule's.
    const own = page.filter(
      ({ event }) => event.ts <= now && firing(functionId, trigger, event.ts).id === event.id,
    );
    if (own.length > 0) return Math.max(since, ...own.map(({ event }) => event.ts));
    const oldest = page.at(-1);
    if (page.length < looked || oldest === undefined || oldest.storedAt < since - clockSkewMs) return since;
    beforeSeq = oldest.seq;
  }
}
