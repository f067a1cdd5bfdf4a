import type { Clock } from "../clock.ts";

/** What rouses the loop of a run while it waits, and those who ask it whether it still holds the run. */
export interface Nudges {
  nudge(): void;
  /** It was nudged since the round began. */
  readonly nudged: boolean;
  beginRound(): void;
  /** Resolves when it is nudged, or it is time. */
  something(at: number | undefined): Promise<void>;
  /** Asks; resolves to the answer. */
  ask(): Promise<boolean>;
  readonly asked: boolean;
  answer(held: boolean): void;
}

export function createNudges(clock: Clock): Nudges {
  let nudged = false;
  let rouse: (() => void) | undefined;
  let asking: ((held: boolean) => void)[] = [];
  const nudge = (): void => {
    nudged = true;
    rouse?.();
  };
  return {
    nudge,
    get nudged() {
      return nudged;
    },
    beginRound: () => void (nudged = false),
    async something(at) {
      const cancel = at === undefined ? undefined : clock.schedule(at, nudge);
      await new Promise<void>((resolve) => (rouse = resolve));
      cancel?.();
    },
    ask() {
      return new Promise((resolve) => {
        asking.push(resolve);
        nudge();
      });
    },
    get asked() {
      return asking.length > 0;
    },
    answer(held) {
      const answered = asking;
      asking = [];
      for (const resolve of answered) resolve(held);
    },
  };
}
