import type { Json } from "../../runtime/json.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import type { CapabilitiesDocument } from "./capabilities.ts";
import { cronEventName, type MissedPolicy } from "./cron.ts";

/** What an edge's `step` says that begins with the run. */
export const triggerStep = "$trigger";

/** A function as its author writes it. function.schema.json is its published schema. */
export interface FunctionDocument {
  readonly $schema?: string;
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly triggers: readonly TriggerDocument[];
  readonly steps: Readonly<Record<string, StepDocument>>;
  /** What a run comes to: a step's id, or CEL; the output of the last step by default. */
  readonly output?: string;
  /** The step that runs once when the run has failed; no edge may lead to or from it. */
  readonly onFailure?: string;
  /** The retry policy of steps that have none of their own. */
  readonly retry?: RetryDocument;
  /** Events that cancel a run. */
  readonly cancel?: readonly CancelDocument[];
  /** How long a run may take, as a duration; then it fails. */
  readonly timeout?: string;
  /** How old an event may be when its run begins, as a duration; later, the run is cancelled at once. */
  readonly startTimeout?: string;
  /** One run for all events with the same key within a period. */
  readonly idempotency?: {
    /** CEL over what triggers see; so are the keys below. */
    readonly key: string;
    readonly period: string;
  };
  /** One run at a time: of the function, or with a key. */
  readonly singleton?: {
    readonly key?: string;
    /** What becomes of a new run while another goes on: "skip" refuses it, "cancel" ends the other. */
    readonly mode: "skip" | "cancel";
  };
  /** How many runs may begin within a period; those over it are refused. */
  readonly rateLimit?: RateDocument;
  /** The same, and those over it begin later. */
  readonly throttle?: RateDocument & {
    /** How many may begin at once; 1 by default. */
    readonly burst?: number;
  };
  /** How many runs may execute steps at once; those over it wait. */
  readonly concurrency?: readonly ConcurrencyDocument[];
  /** CEL that gives a whole number: of runs that wait for a slot, those with the higher one go first. */
  readonly priority?: string;
  /** One run for events that come shortly after each other, for the last of them; not beside `batch`. */
  readonly debounce?: DebounceDocument;
  /** One run for several events; its steps get them as `events`. */
  readonly batch?: BatchDocument;
}

export interface ConcurrencyDocument {
  readonly limit: number;
  readonly key?: string;
  /** "shared": by all functions that use the name; "function" by default. */
  readonly scope?: "function" | "shared";
  readonly name?: string;
}

interface RateDocument {
  readonly limit: number;
  readonly period: string;
  readonly key?: string;
}

interface DebounceDocument {
  /** How long no further event must have come before the run begins, as a duration. */
  readonly period: string;
  /** CEL; events with the same value belong together. */
  readonly key?: string;
  /** How long after the first event the run begins even so, as a duration. */
  readonly timeout?: string;
}

interface BatchDocument {
  /** With so many events the run begins. */
  readonly maxSize: number;
  /** How long after the first event the run begins even so, as a duration. */
  readonly timeout: string;
  /** CEL; events with the same value belong together. */
  readonly key?: string;
  /** CEL; an event for which it does not hold has a run of its own at once. */
  readonly if?: string;
}

interface CancelDocument {
  readonly event: string;
  /** CEL; `async` is the event, the rest what a trigger's expression sees of the run's own. */
  readonly if?: string;
  /** How long after the run's beginning the event counts; as long as the run goes on by default. */
  readonly timeout?: string;
}

export type TriggerDocument = EventTriggerDocument | CronTriggerDocument;

interface EventTriggerDocument {
  readonly event: string;
  /** CEL; `event`, `data`, `user`, `ts` and `name` are in scope. */
  readonly expression?: string;
}

interface CronTriggerDocument {
  /** Five fields, or six with seconds in front. */
  readonly cron: string;
  /** IANA name; "UTC" by default. */
  readonly timezone?: string;
  /** A firing is put off by up to this much, as a duration. */
  readonly jitter?: string;
  /** "once" by default. */
  readonly missed?: MissedPolicy;
}

/** The event that a trigger waits for: a schedule's own for a schedule. */
export function triggerEvent(functionId: string, trigger: TriggerDocument): string {
  return "cron" in trigger ? cronEventName(functionId) : trigger.event;
}

export interface StepDocument {
  /** The same as its key in `steps`. */
  readonly id?: string;
  readonly name?: string;
  /** `file://./…`, relative to the document; or `oci://registry/repository:tag`. */
  readonly path?: string;
  /** Runtime wasm: a command of a shell that writes the `.wasm` file at `path`; run by `build` alone, in the document's folder. */
  readonly build?: string;
  /** In place of a program: a function that is run, and waited for. */
  readonly invoke?: InvokeDocument;
  readonly runtime?: { readonly type: RuntimeName; readonly [option: string]: Json };
  readonly after?: readonly EdgeDocument[];
  /** "all" (the default): every edge must be taken; "any": the first one starts the step. */
  readonly join?: "all" | "any";
  /** The program runs once an item of a list. */
  readonly forEach?: ForEachDocument;
  /** The step that undoes what this one did, when the run fails or is cancelled. */
  readonly compensate?: string;
  readonly retry?: RetryDocument;
  /** Wall time of one attempt, as a duration: "30s". */
  readonly timeout?: string;
  readonly limits?: {
    /** Runtime wasm: processor time of one attempt, as a duration. */
    readonly cpu?: string;
    /** Sizes: "64MiB", or a number of bytes. */
    readonly memory?: string | number;
    readonly output?: string | number;
    readonly logs?: string | number;
    readonly tmp?: string | number;
    readonly http?: {
      /** Requests under way at once. */
      readonly concurrent?: number;
      /** The body of a request, and that of a response: a size. */
      readonly body?: string | number;
    };
  };
  /** What the step asks for; the operator's policy must allow it too. */
  readonly capabilities?: CapabilitiesDocument;
}

interface ForEachDocument {
  /** CEL that gives the list; the scope of triggers, `steps`, and `async` where an event was waited for. */
  readonly items: string;
  /** Items under way at once; 10 by default. */
  readonly concurrency?: number;
  /** "fail" (the default): the first item that fails for good fails the step. */
  readonly onError?: "fail" | "continue";
  /** With "continue": how many items may fail, or which share of them ("5%"); all of them by default. */
  readonly tolerate?: number | string;
}

export interface InvokeDocument {
  /** The function's id. */
  readonly function: string;
  /** The data of its event: CEL, or JSON in which every text is CEL; {} by default. */
  readonly data?: Json;
  /** How long to wait for it, as a duration; then it is cancelled. */
  readonly timeout?: string;
}

/** The steps that edges do not lead to: the `onFailure` step, and those that undo others. */
export function stepsApart({
  steps,
  onFailure,
}: Pick<FunctionDocument, "steps" | "onFailure">): ReadonlySet<string> {
  const undoing = Object.values(steps).flatMap(({ compensate }) => compensate ?? []);
  return new Set([...(onFailure === undefined ? [] : [onFailure]), ...undoing]);
}

export interface EdgeDocument {
  /** The step it comes from, or "$trigger" for the run's beginning. */
  readonly step: string;
  /** "success" (the default): taken when `step` has completed; "failure": when it has failed for good. */
  readonly on?: "success" | "failure";
  /** CEL; the scope of triggers, and `steps`, `output` (of `step`), or `failure` with `on: failure`. */
  readonly if?: string;
  /** A duration to let pass after `step` has completed. */
  readonly wait?: string;
  /** CEL that gives a time to wait until, or a duration to let pass. */
  readonly waitUntil?: string;
  readonly async?: {
    /** Of a wait without a link. */
    readonly event?: string;
    /** The name of a link, by which people answer; in place of `event` and `match`. */
    readonly link?: string;
    /** What may be answered by the link; "approve" and "deny" by default. */
    readonly answers?: readonly string[];
    readonly ttl: string;
    readonly match?: string;
    readonly onTimeout?: boolean;
  };
}

export interface RetryDocument {
  /** Attempts after the first; 4 by default, 0 for none. */
  readonly retries?: number;
  readonly backoff?: {
    /** Delay before the second attempt; "1s" by default. */
    readonly initial?: string;
    /** What each delay is multiplied by; 2 by default. */
    readonly factor?: number;
    /** The longest delay; "1h" by default. */
    readonly max?: string;
    /** The share of a delay that is random, 0 to 1; 0.5 by default. */
    readonly jitter?: number;
  };
}
