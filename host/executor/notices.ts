import type { Clock } from "../clock.ts";
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
  list(functionId?: string): readonly Notice[];
}

/** More than these are not kept, so that a noisy expression can't fill the memory. */
const capacity = 1_000;

export function createNotices(clock: Clock, live: Live): Notices {
  const notices = new Map<string, Notice>();
  return {
    add(notice) {
      const key = `${notice.functionId ?? ""}\0${notice.code}\0${notice.message}`;
      if (notices.has(key) || notices.size >= capacity) return;
      const first: Notice = { ...notice, at: clock.now() };
      notices.set(key, first);
      live.publish({ type: "notice", ...first });
    },
    list: (functionId) =>
      [...notices.values()].filter((notice) => functionId === undefined || notice.functionId === functionId),
  };
}
