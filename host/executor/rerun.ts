import type { Json } from "../../runtime/json.ts";
import { MillraceError } from "../errors.ts";
import type { Broker } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { Event } from "../event/event.ts";
import { canonicalJson } from "../function/digest.ts";
import type { Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import type { HistoryEntry } from "../run/history.ts";
import { headerOf } from "../run/header.ts";
import { unawaited } from "../run/invocation.ts";
import { foldHistory } from "../run/run-view.ts";

interface RerunOptions {
  readonly runs: Pick<Runs, "create">;
  readonly definitions: Pick<Definitions, "get" | "active">;
  readonly broker: Pick<Broker, "wake" | "readEvents">;
  readonly clock: Clock;
  readonly live: Live;
}

/** Runs a run's function again, for another event; the id of the new run. */
export function createRerun({
  runs,
  definitions,
  broker,
  clock,
  live,
}: RerunOptions): (old: StoredRun, event: Event) => Promise<string> {
  return async (old, given) => {
    const { id: runId, functionId } = old;
    const event = unawaited(given);
    const active = definitions.active().find((version) => version.functionId === functionId);
    const definition = active && (await definitions.get(functionId, active.version));
    if (definition === undefined) {
      throw new MillraceError(
        "ERR_FUNCTION_UNKNOWN",
        `There is no active function ${functionId} to run again.`,
      );
    }
    const at = clock.now();
    // Its waits look at what is stored from now on.
    const [last] = await broker.readEvents({ newestFirst: true, limit: 1 });
    const header = headerOf(definition, event, at);
    const started: HistoryEntry = {
      type: "run.started",
      at,
      event,
      eventSeq: last?.seq ?? 0,
      retryOf: runId,
      ...editedOf(old, event),
      ...batchOf(definition, event, old),
    };
    await runs.create(header, [started], { status: "parked", wakeAt: at });
    if (live.observed)
      live.publish({ type: "history", at, runId: header.id, functionId, entry: started, seq: 1 });
    await broker.wake(header.id);
    return header.id;
  };
}

/** Which parts of its event another try has otherwise than the run had that it is of. */
function editedOf({ history }: StoredRun, event: Event): { readonly edited?: readonly string[] } {
  const before = foldHistory(history).event as unknown as Readonly<Record<string, Json>> | undefined;
  const now = event as unknown as Readonly<Record<string, Json>>;
  const edited = ["name", "data", "user", "v"].filter(
    (part) => canonicalJson(before?.[part] ?? null) !== canonicalJson(now[part] ?? null),
  );
  return edited.length === 0 ? {} : { edited };
}

/** What another try of a batch gets: its event in place of the first, and the others. */
function batchOf(
  { collects }: Definition,
  event: Event,
  { history }: StoredRun,
): { readonly events?: readonly Event[] } {
  if (collects?.by !== "batch") return {};
  const { events = [] } = foldHistory(history);
  return { events: [event, ...events.slice(1)] };
}
