import type { Definition } from "../function/definition.ts";
import type { RunView } from "./run-view.ts";

/** Things that are named; there may be thousands of items that wait for their next attempt. */
const most = 3;

/** What a run waits for that parks, in words; undefined where it waits for nothing. `runtime`: one that this host does not have. */
export function waitsFor(
  definition: Definition,
  view: RunView,
  { wakeAt, runtime }: { readonly wakeAt?: number | undefined; readonly runtime?: string | undefined },
): string | undefined {
  if (view.queued !== undefined) return turn(view.queued.reason);
  if (view.collecting !== undefined) return moreEvents;
  const all = [...new Set(named(definition, view, runtime))];
  if (all.length === 0) return wakeAt === undefined ? undefined : "its time";
  const left = all.length - most;
  return left > 0 ? `${all.slice(0, most).join(", ")} and ${left} more` : all.join(", ");
}

/** What a run waits for that flow control puts off. */
export function turn(reason: string): string {
  return `its turn: ${reason}`;
}

/** What a run waits for that collects events. */
export const moreEvents = "more events";

function* named(definition: Definition, view: RunView, runtime: string | undefined): Generator<string> {
  if (runtime !== undefined) yield `a host with runtime ${runtime}`;
  for (const [id, { status }] of view.waits) {
    const wait = definition.waits.get(id);
    if (status !== "armed" || wait === undefined || wait.cancels === true) continue;
    yield wait.link === undefined ? `event ${wait.event}` : `link ${wait.link.name}`;
  }
  for (const { functionId } of view.invoked.values()) yield `a run of ${functionId}`;
  for (const [id, { status }] of view.steps)
    if (status === "retrying" || status === "items") yield `the next attempt of ${id}`;
}
