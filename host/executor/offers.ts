import type { Outcome, StoredEvent } from "../broker/broker.ts";
import type { Definition } from "../function/definition.ts";
import type { RunView } from "../run/run-view.ts";
import { matchesWait } from "../run/wait-decisions.ts";

/** Stored events that a held run may wait for, until a round has decided on them. */
export interface Offers {
  /** False when the event means nothing to the run, now or later. */
  add(stored: StoredEvent): boolean;
  /** Those that the next round decides on. */
  take(): readonly StoredEvent[];
  /** What was taken is decided on, and that is stored. */
  decided(): void;
  /** What was taken is to be decided on anew. */
  again(): void;
  /** Nothing is decided any more: the run was let go. */
  close(how: Outcome): void;
  /** Which waits are being looked for in the store: what comes meanwhile may be missing in what is found there. */
  looking(waits: readonly string[]): void;
  /** Resolves to "done" when all that was added by now is decided on; otherwise to how the run was let go. */
  recorded(): Promise<Outcome>;
  /** Some were added that no round has taken. */
  readonly waiting: boolean;
}

export function createOffers(
  definition: Definition,
  view: () => RunView,
  initial: readonly StoredEvent[] = [],
): Offers {
  let waiting: StoredEvent[] = [...initial];
  let underWay: StoredEvent[] = [];
  let lookedFor: readonly string[] = [];
  let closed: Outcome | undefined;
  /** Resolved when what is under way, or waits, is decided on. */
  let soon = Promise.withResolvers<Outcome>();
  let later = Promise.withResolvers<Outcome>();

  return {
    add(stored) {
      const wanted = [...definition.waits.values()].some(
        (wait) =>
          (wait.event === stored.event.name && lookedFor.includes(wait.id)) ||
          matchesWait(wait, view(), stored, {}),
      );
      if (wanted) waiting.push(stored);
      return wanted;
    },
    take() {
      underWay = waiting;
      waiting = [];
      [soon, later] = [later, Promise.withResolvers<Outcome>()];
      return underWay;
    },
    decided() {
      underWay = [];
      soon.resolve("done");
    },
    again() {
      waiting = [...underWay, ...waiting];
      underWay = [];
      const [these, those] = [soon, later];
      later = Promise.withResolvers<Outcome>();
      void later.promise.then((how) => [these, those].forEach(({ resolve }) => resolve(how)));
    },
    close(how) {
      closed = how;
      soon.resolve(how);
      later.resolve(how);
    },
    looking: (waits) => void (lookedFor = waits),
    recorded() {
      if (waiting.length > 0) return closed === undefined ? later.promise : Promise.resolve(closed);
      return underWay.length > 0 ? soon.promise : Promise.resolve("done");
    },
    get waiting() {
      return waiting.length > 0;
    },
  };
}
