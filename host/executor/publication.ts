import type { Clock } from "../clock.ts";
import type { HistoryEntry } from "../run/history.ts";
import { insistOn } from "./insist.ts";
import type { Outbox } from "./outbox.ts";
import type { RunLoopPorts } from "./run-loop-ports.ts";
import type { RunView } from "../run/run-view.ts";

/** Publishes what a run has emitted and not published yet; resolves to what the history is to say of it. `again`: it may have been published. */
export async function publishEmitted(
  outbox: Outbox,
  view: RunView,
  { clock, again }: { readonly clock: Clock; readonly again: boolean },
): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for (const [place, { events, ...emitter }] of view.unpublished) {
    const repeats = again || view.earlierAttempts.has(place);
    await outbox.publish(events, repeats ? (view.eventSeq ?? 0) : undefined);
    entries.push({ type: "step.emitted", at: clock.now(), ...emitter });
  }
  return entries;
}

/**
 * The publishing of what a run that this host holds emits, as often as it takes; undefined when the host stops. What had
 * been emitted before, as `view` tells, may have been published.
 */
export function createPublication(
  { outbox, clock, stopping, notices }: Pick<RunLoopPorts, "outbox" | "clock" | "stopping" | "notices">,
  view: RunView,
): (view: RunView) => Promise<readonly HistoryEntry[] | undefined> {
  let again = view.unpublished.size > 0;
  return async (current) => {
    const publish = () => publishEmitted(outbox, current, { clock, again });
    const published = await insistOn(publish, { clock, stopping, onError: notices.storeError });
    again = false;
    return published?.value;
  };
}
