import type { Limits } from "../../runtime/limits.ts";
import type { StepProgram } from "../../runtime/driver.ts";
import type { CronTrigger } from "./cron.ts";
import type { Expression, MatchIndex, Scope, ValueEvaluation, ValueExpression } from "./expression.ts";
import type { FlowControl } from "./flow-control.ts";

/** A function version, compiled: durations in milliseconds, sizes in bytes, expressions as functions. */
export interface Definition {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly triggers: readonly Trigger[];
  /** In topological order; the `onFailure` step is not among them. */
  readonly steps: ReadonlyMap<string, StepDefinition>;
  readonly onFailure?: StepDefinition;
  /** By the step that each of them undoes; not among the steps. Absent: there are none. */
  readonly compensations?: ReadonlyMap<string, StepDefinition>;
  readonly output: OutputDefinition;
  /** How long a run may take. */
  readonly timeoutMs?: number;
  /** How old an event may be when its run begins. */
  readonly startTimeoutMs?: number;
  /** What admits its runs, or refuses them; absent: nothing does. */
  readonly flowControl?: FlowControl;
  readonly collects?: CollectDefinition;
  /** By id. */
  readonly waits: ReadonlyMap<string, WaitDefinition>;
}

/** What a run comes to once it has completed: a step's output, those of several by step id, or what CEL makes of them. */
export type OutputDefinition =
  | { readonly kind: "step"; readonly step: string }
  | { readonly kind: "steps"; readonly steps: readonly string[] }
  | { readonly kind: "value"; readonly expression: ValueExpression };
/** How a run collects events before it begins: until there are enough, or until no more have come for a while. */
export type CollectDefinition =
  | {
      readonly by: "batch";
      readonly key?: ValueExpression;
      readonly if?: Expression;
      readonly maxSize: number;
      readonly timeoutMs: number;
    }
  | {
      readonly by: "debounce";
      readonly key?: ValueExpression;
      readonly periodMs: number;
      readonly timeoutMs?: number;
    };

/** A wait for an event, which begins when a step has completed. */
export interface WaitDefinition {
  /** The same in every run of the version. */
  readonly id: string;
  /** The step, or "$trigger": then it begins with the run. */
  readonly from: string;
  /** The name of the event. */
  readonly event: string;
  readonly ttlMs: number;
  readonly match?: Expression;
  readonly index?: MatchIndex;
  /** People end it, by a link, and no event of others does. */
  readonly link?: LinkDefinition;
  /** Its event cancels the run. */
  readonly cancels?: true;
  /** The steps that its edges lead to. */
  readonly leadsTo: readonly string[];
  /** The steps whose outputs `match` sees. */
  readonly visible: readonly string[];
  /** The waits on the ways to `from`: an event that one of them has taken does not count again. */
  readonly before: readonly string[];
}

/** A link by which people answer. */
export interface LinkDefinition {
  readonly name: string;
  readonly answers: readonly string[];
}

/** A link that a step hands out, and the wait that it ends. */
export interface LinkName {
  readonly name: string;
  readonly wait: string;
}

/** What starts a run: an event of this name for which the expression holds. A schedule publishes its own. */
interface Trigger {
  readonly event: string;
  readonly expression?: Expression;
  readonly cron?: CronTrigger;
}

/** All steps of a definition, those that undo others behind them, the `onFailure` step at the end. */
export function stepsOf({
  steps,
  compensations = new Map(),
  onFailure,
}: Definition): readonly StepDefinition[] {
  return [...steps.values(), ...compensations.values(), ...(onFailure === undefined ? [] : [onFailure])];
}

export interface StepDefinition {
  readonly id: string;
  readonly name: string;
  /** Undefined: it has none, but invokes a function. */
  readonly program?: StepProgram;
  readonly invoke?: InvokeDefinition;
  readonly limits: Limits;
  readonly retry: RetryPolicy;
  readonly join: "all" | "any";
  /** A step without `after` has one edge, from "$trigger". */
  readonly edges: readonly EdgeDefinition[];
  /** Every step before this one, however far: whose outputs it sees. */
  readonly ancestors: readonly string[];
  /** The links that it is given: of waits that begin with it, or behind it. */
  readonly links?: readonly LinkName[];
  /** Every wait on the ways to this step, its own edges included. */
  readonly waits?: readonly string[];
  /** Edges lead from its failure. */
  readonly caught?: true;
  /** Its program runs once an item of a list. */
  readonly forEach?: ForEachDefinition;
}

export interface ForEachDefinition {
  /** Gives the list. */
  readonly items: ValueExpression;
  /** Items under way at once. */
  readonly concurrency: number;
  /** What the step gives: the outputs alone, or what became of each item, failures too. */
  readonly gives: "outputs" | "results";
  /** So many items may fail, and such a share of them, 0 to 1. */
  readonly bears: { readonly items: number; readonly share: number };
  /** The steps whose outputs the items see: what the list was made of is not for each of them. */
  readonly sees: readonly string[];
}

/** A step that is executed. */
export type ProgramStep = StepDefinition & { readonly program: StepProgram };

/** The steps of a definition that are executed. */
export function programsOf(definition: Definition): readonly ProgramStep[] {
  return stepsOf(definition).filter(hasProgram);
}

/** Whether a step is executed. */
export function hasProgram(step: StepDefinition): step is ProgramStep {
  return step.program !== undefined;
}

/** A function that a step runs and waits for. */
export interface InvokeDefinition {
  readonly functionId: string;
  /** The data of its event, which must be an object. */
  data(scope: Scope): ValueEvaluation;
  readonly timeoutMs?: number;
}

export interface EdgeDefinition {
  readonly from: string;
  /** Taken when its step has failed for good, and not when that has completed. */
  readonly onFailure?: true;
  readonly if?: Expression;
  readonly waitMs?: number;
  /** Gives a time, or a duration. */
  readonly waitUntil?: ValueExpression;
  /** The id of the wait that it shares in. */
  readonly wait?: string;
  /** Every wait on the ways that lead over this edge, its own included. */
  readonly waits?: readonly string[];
  /** Taken when the wait's time is over, and not when its event came. */
  readonly onTimeout?: boolean;
  /** Whether `if` looks at the event that was waited for: then it is decided when that has come. */
  readonly ifAsync?: boolean;
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
