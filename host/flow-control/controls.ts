import ms from "ms";
import type { Json } from "../../runtime/json.ts";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";
import type { Notices } from "../executor/notices.ts";
import type { ValueExpression } from "../function/expression.ts";
import type { Runs } from "../state/state.ts";
import type { Admitted, Applicant } from "./applicant.ts";
import type { Documents } from "./documents.ts";
import { type IdempotencyState, onlyRun, withoutRun } from "./idempotency.ts";
import { type Key, keyOf, valueOf } from "./key.ts";
import { notBegun, rateLimited, type RateLimitState } from "./rate-limit.ts";
import { applied, type SingletonState } from "./singleton.ts";
import { throttled, type ThrottleState } from "./throttle.ts";

/** Takes part in the decision about a run. What it gave is taken back by `leave`, where another refuses the run. */
export interface Control {
  enter(): Promise<Admitted>;
  leave?(): Promise<void>;
}

/** The controls of a function's document that decide about new runs; undefined: it does not have this one. */
export interface Controls {
  idempotency(applicant: Applicant): Control | undefined;
  rateLimit(applicant: Applicant): Control | undefined;
  singleton(applicant: Applicant): Control | undefined;
  throttle(applicant: Applicant): Control | undefined;
  /** Ends a stored run if another has its place of a singleton by now: it was stored so late that it counted as gone, or that one is newer. */
  settle(applicant: Applicant): Promise<void>;
}

interface ControlsOptions {
  readonly documents: Documents<Json>;
  readonly runs: Pick<Runs, "load">;
  readonly clock: Clock;
  readonly notices: Pick<Notices, "expressionError">;
  /** Throws ERR_RUN_UNKNOWN and ERR_RUN_STATE. */
  cancel(runId: string, reason: string): Promise<void>;
}

/** A run that has the place of a singleton and is not stored after so long never will be, in milliseconds. */
const missingMs = 60_000;

export const now: Admitted = { kind: "now" };

export function createControls({ documents, runs, clock, notices, cancel }: ControlsOptions): Controls {
  const of = <T extends Json>() => documents as unknown as Documents<T>;

  const key = (control: string, { definition, stored }: Applicant, expression?: ValueExpression): Key => {
    const owner = [control, definition.id, expression?.source ?? ""];
    if (expression === undefined) return keyOf(owner, undefined);
    const tell = (source: string, evaluation: Parameters<Notices["expressionError"]>[2]): void =>
      notices.expressionError(definition.id, source, evaluation);
    return keyOf(owner, valueOf(expression, stored.event, tell));
  };

  const idempotency = (applicant: Applicant): Control | undefined => {
    const control = applicant.definition.flowControl?.idempotency;
    if (control === undefined) return undefined;
    const { run } = applicant;
    const { periodMs } = control;
    const { place, text } = key("idempotency", applicant, control.key);
    return {
      async enter() {
        const first = await of<IdempotencyState>().change(place, (state) =>
          onlyRun(state, { run, now: clock.now(), periodMs }),
        );
        if (first === run) return now;
        const reason = `idempotency: run ${first} was the first in ${ms(periodMs)}${text}`;
        return { kind: "refused", reason };
      },
      leave: () => of<IdempotencyState>().change(place, (state) => withoutRun(state, run)),
    };
  };

  const singleton = (applicant: Applicant): Control | undefined => {
    const control = applicant.definition.flowControl?.singleton;
    if (control === undefined) return undefined;
    const { run, stored } = applicant;
    const { mode } = control;
    const { place, text } = key("singleton", applicant, control.key);
    const enter = async (over?: string): Promise<Admitted> => {
      const found = await of<SingletonState>().change(place, (state) =>
        applied(state, { run, seq: stored.seq, now: clock.now(), mode, over }),
      );
      if (found.kind === "has") {
        if (found.instead !== undefined) {
          await cancel(found.instead, `singleton: run ${run} took its place${text}`).catch(unlessOver);
        }
        return now;
      }
      const { by } = found;
      if (found.kind === "held" && (await isOver(by))) return enter(by.run);
      const why = found.kind === "held" ? "is not over" : "is newer";
      return { kind: "refused", reason: `singleton: run ${by.run} ${why}${text}` };
    };
    return { enter };
  };

  const isOver = async ({ run, at }: SingletonState): Promise<boolean> => {
    const stored = await runs.load(run);
    // Its host may be about to store it.
    return stored === undefined ? at < clock.now() - missingMs : stored.finishedAt !== undefined;
  };

  const rateLimit = (applicant: Applicant): Control | undefined => {
    const control = applicant.definition.flowControl?.rateLimit;
    if (control === undefined) return undefined;
    const { run } = applicant;
    const { limit, periodMs } = control;
    const { place, text } = key("rateLimit", applicant, control.key);
    return {
      async enter() {
        const answer = await of<RateLimitState>().change(place, (state) =>
          rateLimited(state, { run, now: clock.now(), limit, periodMs }),
        );
        if (answer.admitted) return now;
        const first = answer.first === undefined ? "" : `, the first of them run ${answer.first}`;
        const reason = `rateLimit: ${limit} in ${ms(periodMs)} have begun${text}${first}`;
        return { kind: "refused", reason };
      },
      leave: () => of<RateLimitState>().change(place, (state) => notBegun(state, { run, periodMs })),
    };
  };

  const throttle = (applicant: Applicant): Control | undefined => {
    const control = applicant.definition.flowControl?.throttle;
    if (control === undefined) return undefined;
    const { limit, periodMs, burst } = control;
    const { place, text } = key("throttle", applicant, control.key);
    return {
      async enter() {
        const until = await of<ThrottleState>().change(place, (state) =>
          throttled(state, { run: applicant.run, now: clock.now(), limit, periodMs, burst }),
        );
        if (until <= clock.now()) return now;
        return { kind: "later", until, reason: `throttle: ${limit} in ${ms(periodMs)}${text}` };
      },
    };
  };

  const settle: Controls["settle"] = async (applicant) => {
    const control = applicant.definition.flowControl?.singleton;
    if (control === undefined) return;
    const { run, stored } = applicant;
    const { place, text } = key("singleton", applicant, control.key);
    const has = await of<SingletonState>().change(place, (state) => ({ result: state }));
    if (has === undefined || has.run === run) return;
    if (control.mode === "cancel" && has.seq < stored.seq) return;
    await cancel(run, `singleton: run ${has.run} took its place${text}`).catch(unlessOver);
  };

  return { idempotency, rateLimit, singleton, throttle, settle };
}

function unlessOver(error: unknown): void {
  const code = error instanceof MillraceError ? error.code : undefined;
  if (code !== "ERR_RUN_UNKNOWN" && code !== "ERR_RUN_STATE") throw error;
}
