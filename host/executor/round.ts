import type { StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { Definition } from "../function/definition.ts";
import type { HistoryEntry } from "../run/history.ts";
import { insistOn } from "./insist.ts";
import type { Lookout } from "./lookout.ts";
import type { RunView } from "../run/run-view.ts";
import { transition, type Moment, type Transition } from "../run/transition.ts";

/** What deciding needs besides the run. */
interface RoundPorts {
  readonly clock: Clock;
  readonly lookout: Lookout;
  readonly stopping: AbortSignal;
  readonly notices: { storeError(error: unknown): void };
}

interface Round {
  readonly runId: string;
  readonly definition: Definition;
  readonly view: RunView;
  readonly underWay: ReadonlySet<string>;
  readonly offered: readonly StoredEvent[];
  readonly onError: NonNullable<Moment["onError"]>;
  /** Hears which waits are being looked for: an event that comes meanwhile may be missing in what is found. */
  looking(waits: readonly string[]): void;
}

/** Decides what is next for a run, with the looks into the store that it takes; undefined when the host stops. */
export async function decideRound(ports: RoundPorts, round: Round): Promise<Transition | undefined> {
  const { clock, lookout, stopping, notices } = ports;
  const { runId, definition, view, underWay, onError } = round;
  const decided: HistoryEntry[] = [];
  const looked = new Map<
    string,
    { readonly look: NonNullable<Transition["look"]>[number]; readonly at: number }
  >();
  let { offered } = round;
  for (;;) {
    const moment = { now: clock.now(), underWay, offered, looked, onError };
    const next = transition(definition, view, moment);
    decided.push(...next.decided);
    const { look } = next;
    if (look === undefined) return { ...next, decided };
    const at = clock.now();
    round.looking(look.map(({ wait }) => wait.id));
    const take = () => lookout.take(runId, view, look);
    const found = await insistOn(take, { clock, stopping, onError: notices.storeError });
    round.looking([]);
    if (found === undefined) return undefined;
    for (const one of look) looked.set(one.wait.id, { look: one, at });
    offered = found.value;
  }
}
