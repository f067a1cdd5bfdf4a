import type { Broker, StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { WaitDefinition } from "../function/definition.ts";
import type { Waits } from "../state/state.ts";
import type { RunView } from "../run/run-view.ts";
import { canMatch, type WaitLook } from "../run/wait-decisions.ts";

/** Takes the looks into the store that decisions about waits need. */
export interface Lookout {
  /** Resolves to stored events that match, the first of each wait; what must be armed is armed by then, durably. */
  take(runId: string, view: RunView, looks: readonly WaitLook[]): Promise<readonly StoredEvent[]>;
}

interface LookoutOptions {
  readonly waits: Pick<Waits, "declare" | "arm">;
  readonly events: Pick<Broker, "readEvents" | "settled">;
  readonly clock: Clock;
}

/** Events that are looked through at once. */
const pageSize = 500;

export function createLookout({ waits, events, clock }: LookoutOptions): Lookout {
  const declared = new Set<string>();

  const declare = async (eventName: string, path: string): Promise<void> => {
    const both = `${path} ${eventName}`;
    if (declared.has(both)) return;
    await waits.declare(eventName, path);
    declared.add(both);
  };

  const arm = async (runId: string, looks: readonly WaitLook[]): Promise<void> => {
    const places = looks.flatMap((look) =>
      look.kind === "arm" && look.place !== undefined ? [{ ...look, place: look.place }] : [],
    );
    if (places.length === 0) return;
    // A wait that is armed where nobody looks would be found by no event.
    for (const { wait, place } of places) await declare(wait.event, place.path);
    await waits.arm(
      places.map(({ wait, place, until }) => ({ key: place.key, runId, wait: wait.id, until })),
    );
  };

  /** The first event of each wait among those behind `after`, all of which are looked through if need be. */
  const scan = async (name: string, after: number, view: RunView, looks: readonly WaitLook[]) => {
    const found: StoredEvent[] = [];
    let open = looks;
    const latest = Math.max(...looks.map(({ until }) => until));
    for (let afterSeq = after; open.length > 0;) {
      const page = await events.readEvents({ name, afterSeq, limit: pageSize });
      for (const stored of page) {
        const still = open.filter(({ wait, until }) => !canMatch(wait, view, stored, until));
        if (still.length < open.length) found.push(stored);
        open = still;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize || last.storedAt > latest) break;
      afterSeq = last.seq;
      // Other runs go on between two pages.
      await new Promise<void>((resolve) => void clock.schedule(clock.now(), resolve));
    }
    return found;
  };

  return {
    async take(runId, view, looks) {
      await arm(runId, looks);
      const trigger = view.eventSeq ?? 0;
      const begun = looks.filter(({ kind }) => kind === "arm");
      const over = looks.filter(({ kind }) => kind === "sweep");
      const found: StoredEvent[] = [];
      // Only now: an event that is stored from here on finds the wait armed.
      for (const [name, group] of byEvent(begun)) found.push(...(await scan(name, trigger, view, group)));
      if (over.length === 0) return found;
      const settled = Math.max(trigger, await events.settled());
      for (const [name, group] of byEvent(over)) found.push(...(await scan(name, settled, view, group)));
      return found;
    },
  };
}

function byEvent(looks: readonly WaitLook[]): ReadonlyMap<WaitDefinition["event"], readonly WaitLook[]> {
  return Map.groupBy(looks, ({ wait }) => wait.event);
}
