import type { LogLine } from "../runtime/driver.ts";
import type { Event } from "./event/event.ts";
import type { HistoryEntry } from "./run/history.ts";

/** What happens right now on this host. `at` in milliseconds since 1970-01-01T00:00:00Z. */
export type LiveMessage =
  | { readonly type: "event.stored"; readonly at: number; readonly event: Event }
  | ({ readonly type: "attempt.started" } & LiveAttempt)
  /** A line of an attempt's log as it comes, on runtimes that can tell. What is recorded of the attempt has it again. */
  | ({ readonly type: "attempt.logged"; readonly line: LogLine } & LiveAttempt)
  | ({ readonly type: "history"; readonly entry: HistoryEntry; readonly seq: number } & LiveRun)
  | {
      readonly type: "notice";
      readonly at: number;
      readonly level: "warn" | "error";
      readonly code?: string;
      readonly message: string;
      readonly functionId?: string;
    };

interface LiveAttempt extends LiveRun {
  readonly step: string;
  readonly attempt: number;
  /** The item of the step's list that it is for. */
  readonly item?: number;
}

interface LiveRun {
  readonly at: number;
  readonly runId: string;
  readonly functionId: string;
}

/** Tells listeners in this process what happens; keeps nothing. */
export interface Live {
  publish(message: LiveMessage): void;
  /** The returned function ends the subscription. A listener must not throw. */
  subscribe(listener: (message: LiveMessage) => void): () => void;
  /** False while nobody listens, so that callers can skip building messages. */
  readonly observed: boolean;
}

export function createLive(): Live {
  const listeners = new Set<(message: LiveMessage) => void>();
  return {
    publish(message) {
      for (const listener of listeners) listener(message);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get observed() {
      return listeners.size > 0;
    },
  };
}
