import type { Limits } from "../../runtime/limits.ts";
import type { StepProgram } from "../../runtime/driver.ts";
import type { CronTrigger } from "./cron.ts";
import type { Expression } from "./expression.ts";

/** A function version, compiled: durations in milliseconds, sizes in bytes, expressions as functions. */
export interface Definition {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly triggers: readonly Trigger[];
  /** In topological order; the `onFailure` step is not among them. */
  readonly steps: ReadonlyMap<string, StepDefinition>;
  readonly onFailure?: StepDefinition;
}

/** What starts a run: an event of this name for which the expression holds. A schedule publishes its own. */
interface Trigger {
  readonly event: string;
  readonly expression?: Expression;
  readonly cron?: CronTrigger;
}

/** All steps of a definition, the `onFailure` step at the end. */
export function stepsOf({ steps, onFailure }: Definition): readonly StepDefinition[] {
  return [...steps.values(), ...(onFailure === undefined ? [] : [onFailure])];
}

export interface StepDefinition {
  readonly id: string;
  readonly name: string;
  readonly program: StepProgram;
  readonly limits: Limits;
  readonly retry: RetryPolicy;
  readonly join: "all" | "any";
  /** A step without `after` has one edge, from "$trigger". */
  readonly edges: readonly EdgeDefinition[];
  /** Every step before this one, however far: whose outputs it sees. */
  readonly ancestors: readonly string[];
}

export interface EdgeDefinition {
  readonly from: string;
  readonly if?: Expression;
  readonly waitMs?: number;
}

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** The share of a delay that is random, 0 to 1. */
  readonly jitter: number;
}
