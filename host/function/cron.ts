import { Cron } from "croner";

/** What becomes of firings for which no host was there: left out, the last of them made up for, or each of them. */
export type MissedPolicy = "skip" | "once" | "all";

/** A schedule of a function, compiled. */
export interface CronTrigger {
  /** As the document has it. */
  readonly pattern: string;
  /** IANA name. */
  readonly timezone: string;
  /** The longest delay of a firing behind its time, in milliseconds. */
  readonly jitterMs: number;
  readonly missed: MissedPolicy;
  /** The first time of the schedule behind this one, in milliseconds since 1970-01-01T00:00:00Z; undefined: none any more. */
  next(after: number): number | undefined;
  /** The last one before this one. */
  previous(before: number): number | undefined;
}

/** Times of a schedule, or what is wrong with it. */
export type CompiledCron =
  | { readonly ok: true; readonly next: CronTrigger["next"]; readonly previous: CronTrigger["previous"] }
  | { readonly ok: false; readonly what: "cron" | "timezone"; readonly message: string };

export const defaultTimezone = "UTC";
export const defaultMissed: MissedPolicy = "once";

/** A field: five of them, or six with the seconds in front. A short name (@daily) stands for all. */
const shape = /^(?:@[a-z]+|\S+(?: +\S+){4,5})$/i;
/** 2026-01-01T00:00:00Z, for a look at whether a schedule has any time at all. */
const anyTime = 1_767_225_600_000;

/** Compiles a cron expression: five fields, or six with seconds; names of days and months, L, #, and @daily and its like. */
export function compileCron(pattern: string, timezone: string): CompiledCron {
  if (!isTimezone(timezone)) {
    return { ok: false, what: "timezone", message: `${JSON.stringify(timezone)} is no time zone` };
  }
  if (!shape.test(pattern)) {
    return { ok: false, what: "cron", message: "a schedule has five fields, or six with seconds in front" };
  }
  let schedule: Cron;
  try {
    schedule = new Cron(pattern, { timezone, paused: true });
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: /, "");
    return { ok: false, what: "cron", message: `the schedule is wrong: ${why}` };
  }
  const next = (after: number): number | undefined => schedule.nextRun(instant(after))?.getTime();
  if (next(anyTime) === undefined) {
    return { ok: false, what: "cron", message: "the schedule has no time: no such day comes" };
  }
  return { ok: true, next, previous: (before) => schedule.previousRuns(1, instant(before))[0]?.getTime() };
}

/** The event that a function's schedules publish, for it and for whoever else has a trigger for it. */
export function cronEventName(functionId: string): string {
  return `cron/${functionId}`;
}

/** A time in milliseconds since 1970-01-01T00:00:00Z as the calendar has it. */
export function instant(ms: number): Date {
  // oxlint-disable-next-line eslint/no-restricted-globals -- of a time that is given, not of the clock
  return new Date(ms);
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
