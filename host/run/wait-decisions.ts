import type { StoredEvent } from "../broker/broker.ts";
import type { Definition, WaitDefinition } from "../function/definition.ts";
import { triggerStep } from "../function/document.ts";
import { needsWait, runScope, type EdgeMoment } from "./edges.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";
import { waitPlace } from "./wait-key.ts";

/** Something about a wait that only the store knows, and that must be known before more is decided. */
export type WaitLook =
  /** The wait begins: it must be armed, durably, and then the events stored since the trigger be looked at. */
  | {
      readonly kind: "arm";
      readonly wait: WaitDefinition;
      readonly until: number;
      readonly place: ReturnType<typeof waitPlace>;
    }
  /** Its time is over: an event that was stored in time may not have come to the run yet. */
  | { readonly kind: "sweep"; readonly wait: WaitDefinition; readonly until: number };

/** What is known of waits besides the history. */
export interface WaitMoment extends EdgeMoment {
  readonly underWay: ReadonlySet<string>;
  /** Stored events that may match; any others do no harm. */
  readonly offered?: readonly StoredEvent[];
  /** The looks that were taken, by wait, and when; what they found is among `offered`. */
  readonly looked?: ReadonlyMap<string, { readonly look: WaitLook; readonly at: number }>;
}

interface WaitsNext {
  readonly look: readonly WaitLook[];
  /** When the first wait's time is over; infinite when none is armed. */
  readonly wakeAt: number;
}

/** Decides what can be decided of a run's waits: armed, matched, timed out, not needed any more. */
export function decideWaits(
  definition: Definition,
  view: RunView,
  moment: WaitMoment,
  decide: (entry: HistoryEntry) => void,
): WaitsNext {
  if (definition.waits.size === 0) return { look: [], wakeAt: Number.POSITIVE_INFINITY };
  const { now, underWay, offered = [], looked } = moment;
  const look: WaitLook[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  const waits = [...definition.waits.values()];
  const armed = (): WaitDefinition[] => waits.filter(({ id }) => view.waits.get(id)?.status === "armed");
  const needed = (wait: WaitDefinition): boolean =>
    wait.cancels === true ||
    wait.leadsTo.some((id) => {
      const step = definition.steps.get(id);
      if (step === undefined || view.steps.has(id) || underWay.has(id)) return false;
      return needsWait(step, wait, view, moment);
    });

  for (const wait of waits) {
    const beganAt = view.waits.has(wait.id) ? undefined : beginning(wait, view);
    if (beganAt === undefined || !needed(wait)) continue;
    const { id, from, event: eventName } = wait;
    if (wait.link !== undefined) {
      decide({ type: "wait.armed", at: now, wait: id, from, eventName, until: beganAt + wait.ttlMs });
      continue;
    }
    const taken = looked?.get(wait.id)?.look;
    if (taken?.kind === "arm") {
      const key = taken.place === undefined ? {} : { key: taken.place.key };
      decide({ type: "wait.armed", at: now, wait: id, from, eventName, until: taken.until, ...key });
    } else {
      look.push({ kind: "arm", wait, until: beganAt + wait.ttlMs, place: placeOf(wait, view) });
    }
  }
  for (const wait of armed()) {
    const event = wait.link === undefined ? undefined : view.answers.get(wait.id);
    if (event !== undefined && needed(wait)) decide({ type: "wait.matched", at: now, wait: wait.id, event });
  }
  for (const stored of offered.toSorted((one, other) => one.seq - other.seq)) {
    for (const wait of armed()) {
      if (needed(wait) && matchesWait(wait, view, stored, moment)) {
        decide({ type: "wait.matched", at: now, wait: wait.id, event: stored.event });
        if (wait.cancels !== true) continue;
        decide({
          type: definition.compensations === undefined ? "run.cancelled" : "run.cancelling",
          at: now,
          reason: `event ${stored.event.name} came: ${stored.event.id}`,
        });
        return { look: [], wakeAt: Number.POSITIVE_INFINITY };
      }
    }
  }
  for (const wait of armed()) {
    // That no event can cancel the run any more changes nothing.
    if (wait.cancels === true) continue;
    const until = view.waits.get(wait.id)?.until ?? now;
    const lookedAt = looked?.get(wait.id)?.at ?? Number.NEGATIVE_INFINITY;
    if (!needed(wait)) decide({ type: "wait.cancelled", at: now, wait: wait.id });
    else if (until > now) wakeAt = Math.min(wakeAt, until);
    else if (wait.link === undefined && lookedAt < until) look.push({ kind: "sweep", wait, until });
    else decide({ type: "wait.timedOut", at: now, wait: wait.id });
  }
  return { look, wakeAt };
}

/** Whether a stored event is what an armed wait of the run waits for. */
export function matchesWait(
  wait: WaitDefinition,
  view: RunView,
  stored: StoredEvent,
  moment: Pick<EdgeMoment, "onError">,
): boolean {
  const known = view.waits.get(wait.id);
  return known?.status === "armed" && canMatch(wait, view, stored, known.until ?? 0, moment.onError);
}

/** Whether a stored event is what a wait until then waits for, if the run has it armed. */
export function canMatch(
  wait: WaitDefinition,
  view: RunView,
  { seq, storedAt, event }: StoredEvent,
  until: number,
  onError?: EdgeMoment["onError"],
): boolean {
  const own = view.event;
  if (own === undefined || event.name !== wait.event || wait.link !== undefined) return false;
  // What came before the run, or after the wait's time, does not count.
  if (seq <= (view.eventSeq ?? 0) || event.id === own.id || storedAt > until) return false;
  if (wait.before.some((id) => view.waits.get(id)?.event?.id === event.id)) return false;
  if (wait.match === undefined) return true;
  const evaluation = wait.match.evaluate(scopeOf(wait, view, event));
  if (evaluation.kind === "error") onError?.(wait.match.source, evaluation);
  return evaluation.kind === "value" && evaluation.value;
}

function placeOf(wait: WaitDefinition, view: RunView): ReturnType<typeof waitPlace> {
  return waitPlace(wait, scopeOf(wait, view));
}

function scopeOf(wait: WaitDefinition, view: RunView, async?: StoredEvent["event"]) {
  // Only a run that has begun has waits.
  const own = view.event ?? { id: "", name: "", data: {}, ts: 0 };
  return runScope(own, view, { steps: wait.visible, from: wait.from, async });
}

/** When a wait begins; undefined while it does not. */
function beginning({ from }: WaitDefinition, view: RunView): number | undefined {
  if (from === triggerStep) return view.startedAt;
  const step = view.steps.get(from);
  return step?.status === "completed" ? step.at : undefined;
}
