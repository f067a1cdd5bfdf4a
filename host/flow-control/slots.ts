/** The slots of one key, as a document of the store has them. */
export type Slots = {
  /** The runs that have one, and a revision of each: who knows an older one has no say over its slot. */
  readonly has: Record<string, number>;
  /** Those of them that were given it while they waited, and may not know. */
  told?: Record<string, true>;
  /** Queues that may not be empty, by rank: all up to that place have been given a slot. */
  queues?: Record<string, number>;
  /** The last place in a queue that is known here. */
  queued?: number;
};

export function noSlots(): Slots {
  return { has: {} };
}

/** What a look at the slots gives that a promotion goes by. */
export interface Standing {
  readonly free: number;
  readonly queued: number;
  readonly told: readonly string[];
  /** The queue whose turn it is: that of the highest rank. */
  readonly next?: { readonly rank: number; readonly after: number };
}

/** How many runs have a slot. */
function count({ has }: Slots): number {
  let runs = 0;
  for (const _ in has) runs += 1;
  return runs;
}

/** Takes a slot for a run that has one already, or if there is one and nobody waits for it. `revision`: the run's. */
export function take(
  slots: Slots,
  { run, revision, limit }: { readonly run: string; readonly revision: number; readonly limit: number },
): boolean {
  const known = slots.has[run];
  if (known === undefined && (slots.queues !== undefined || count(slots) >= limit)) return false;
  slots.has[run] = Math.max(known ?? 0, revision);
  forget(slots, run);
  return true;
}

/** Notes that a run was put into a queue. */
export function noteQueued(
  slots: Slots,
  { rank, place }: { readonly rank: number; readonly place: number },
): void {
  slots.queues ??= {};
  slots.queues[rank] ??= 0;
  slots.queued = Math.max(slots.queued ?? 0, place);
}

/** The place up to which a queue has been served; undefined where it is empty. */
export function servedTo({ queues }: Slots, rank: number): number | undefined {
  return queues?.[rank];
}

export function standing(slots: Slots, limit: number): Standing {
  const ranks = Object.keys(slots.queues ?? {}).map(Number);
  const rank = Math.max(...ranks);
  return {
    free: limit - count(slots),
    queued: slots.queued ?? 0,
    told: Object.keys(slots.told ?? {}),
    ...(ranks.length === 0 ? {} : { next: { rank, after: slots.queues?.[rank] ?? 0 } }),
  };
}

/** Gives what is free to the first of a queue, unless it was served meanwhile. */
export function promote(
  slots: Slots,
  {
    limit,
    rank,
    after,
    first,
  }: {
    readonly limit: number;
    readonly rank: number;
    readonly after: number;
    readonly first: readonly { readonly runId: string; readonly place: number }[];
  },
): void {
  if (slots.queues?.[rank] !== after) return;
  let free = limit - count(slots);
  for (const { runId, place } of first) {
    const known = runId in slots.has;
    if (!known && free <= 0) return;
    slots.queues[rank] = place;
    if (known) continue;
    free -= 1;
    slots.has[runId] = 0;
    slots.told ??= {};
    slots.told[runId] = true;
  }
}

/** Forgets a queue that was found empty, unless a run has been put into one since: places never come again. */
export function noteEmpty(
  slots: Slots,
  { rank, queued }: { readonly rank: number; readonly queued: number },
): void {
  if (slots.queues === undefined || (slots.queued ?? 0) !== queued) return;
  delete slots.queues[rank];
  if (Object.keys(slots.queues).length > 0) return;
  delete slots.queues;
}

/** Notes that these runs know of their slots. */
export function noteWoken(slots: Slots, runs: readonly string[]): void {
  for (const run of runs) forget(slots, run);
}

/** Gives a run's slot back, if it was taken at this revision of the run or before. */
export function giveBack(
  slots: Slots,
  { run, revision }: { readonly run: string; readonly revision: number },
): void {
  const known = slots.has[run];
  if (known === undefined || known > revision) return;
  delete slots.has[run];
  forget(slots, run);
}

/** Nothing is to be remembered of them. */
export function areUnused({ has, queues }: Slots): boolean {
  for (const _ in has) return false;
  return queues === undefined;
}

function forget(slots: Slots, run: string): void {
  if (slots.told === undefined) return;
  delete slots.told[run];
  for (const _ in slots.told) return;
  delete slots.told;
}
