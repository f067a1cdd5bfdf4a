import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";
import type { Evaluation } from "../function/expression.ts";
import type { Live } from "../live.ts";

/** Something about a function, or the host, that its owner should see. `at`: when it was first seen. */
export interface Notice {
  readonly at: number;
  readonly level: "warn" | "error";
  readonly code: string;
  readonly message: string;
  readonly functionId?: string;
}

/** What was noticed since the host began: each thing once, however often it happens. */
export interface Notices {
  add(notice: Omit<Notice, "at">): void;
  /** An expression could not be evaluated. */
  expressionError(functionId: string, source: string, evaluation: Evaluation): void;
  /** The store failed. */
  storeError(error: unknown): void;
  list(functionId?: string): readonly Notice[];
}

/** More than these are not kept, so that a noisy expression can't fill the memory. */
const capacity = 1_000;

export function createNotices(clock: Clock, live: Live): Notices {
  const notices = new Map<string, Notice>();
  const addOnce = (notice: Omit<Notice, "at">, identity: string): void => {
    const key = `${notice.functionId ?? ""}\0${notice.code}\0${identity}`;
    if (notices.has(key) || notices.size >= capacity) return;
    const first: Notice = { ...notice, at: clock.now() };
    notices.set(key, first);
    live.publish({ type: "notice", ...first });
  };
  const add: Notices["add"] = (notice) => addOnce(notice, notice.message);
  return {
    add,
    expressionError(functionId, source, evaluation) {
      const detail = evaluation.kind === "value" ? "" : evaluation.message;
      // Once an expression: what the detail says may differ from event to event.
      addOnce(
        { level: "warn", code: "ERR_EXPRESSION_TYPE", functionId, message: `${source}: ${detail}` },
        source,
      );
    },
    storeError(error) {
      const code = error instanceof MillraceError ? error.code : "ERR_STORE_UNAVAILABLE";
      add({ level: "error", code, message: error instanceof Error ? error.message : String(error) });
    },
    list: (functionId) =>
      [...notices.values()].filter((notice) => functionId === undefined || notice.functionId === functionId),
  };
}
