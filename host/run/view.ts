import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { FunctionDocument } from "../function/document.ts";
import { cancelsRun } from "../function/define-waits.ts";
import type { RunSummary, StoredRun } from "../state/state.ts";
import type { HistoryEntry, RecordedFailure } from "./history.ts";
import { outputOfRun } from "./output.ts";
import { itemsDetail, type ItemsDetail } from "./items-detail.ts";
import { sleepsUntil } from "./sleeping.ts";
import { undone } from "./undoing.ts";
import { foldHistory, type RunView } from "./run-view.ts";
import { type CollectedDetail, viewCollected } from "./view-collected.ts";

/** A run as a person looks at it: what became of each step, attempt by attempt. */
export interface RunDetail extends RunSummary {
  readonly event: Event;
  /** Of a function with batches, once the run has begun: all events that it gets, of which `event` is the first. */
  readonly events?: readonly Event[];
  /** Absent where it collects nothing. */
  readonly collected?: CollectedDetail;
  /** Why the run failed, and at which step. */
  readonly failure?: RecordedFailure & { readonly step?: string };
  /** Why the run was cancelled, or paused. */
  readonly reason?: string;
  /** What it waits for before it goes on; absent: it has its turn. */
  readonly queued?: { readonly since: number; readonly reason: string; readonly until?: number };
  /** The steps that were undone, since the run failed or was cancelled; absent: nothing was to be. */
  readonly undone?: readonly string[];
  /** Those that are to be undone and are not: not yet, or since their compensation failed. */
  readonly notUndone?: readonly string[];
  /** The run of which this one is another try, with another event. */
  readonly retryOf?: string;
  /** Which parts of its event are other than that run's. */
  readonly edited?: readonly string[];
  /** What it came to, once it has completed. */
  readonly output?: Json;
  /** In the document's order; without a document, as they came up. */
  readonly steps: readonly StepDetail[];
  /** In the order in which they began; absent: none has. */
  readonly waits?: readonly WaitDetail[];
}

/** One wait for an event. Times in milliseconds since 1970-01-01T00:00:00Z. */
export interface WaitDetail {
  readonly id: string;
  /** The step after which it began, or "$trigger". */
  readonly after: string;
  /** The name of the event. */
  readonly event: string;
  /** The event cancels the run; nothing of it waits for that. */
  readonly cancels?: true;
  readonly status: "waiting" | "matched" | "timedOut" | "cancelled";
  readonly armedAt: number;
  readonly until: number;
  readonly endedAt?: number;
  /** The event that matched. */
  readonly eventId?: string;
}

/** One step of a run. */
export interface StepDetail {
  readonly id: string;
  readonly name?: string;
  /** The steps that it comes after. */
  readonly after?: readonly string[];
  /** "pending": nothing recorded yet. "running": its items are. "unreached": the run has finished without it. */
  readonly status: "pending" | "running" | "retrying" | "completed" | "failed" | "skipped" | "unreached";
  /** None of a step that runs once an item. */
  readonly attempts: readonly AttemptDetail[];
  readonly items?: ItemsDetail;
  /** It failed, edges lead from its failure, and the run went on over them. */
  readonly caught?: true;
  /** Why a step failed that runs once an item. */
  readonly failure?: RecordedFailure;
  readonly output?: Json;
  /** The runs that it invoked, attempt by attempt. */
  readonly invoked?: readonly InvokedDetail[];
  /** The events that it emitted. */
  readonly emits?: readonly Pick<Event, "id" | "name">[];
  /** When the next attempt may start. */
  readonly retryAt?: number;
  /** Pending: until when a `wait` keeps it from beginning. */
  readonly sleepsUntil?: number;
}

/** A run that a step invoked. */
type InvokedDetail = Pick<
  Extract<HistoryEntry, { type: "step.invoked" }>,
  "attempt" | "functionId" | "runId" | "until"
>;

/** One attempt that has ended. Times in milliseconds since 1970-01-01T00:00:00Z. */
interface AttemptDetail {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: RecordedFailure;
  /** Lines that it logged. */
  readonly logLines: number;
  /** What exactly was run: an image's digest. */
  readonly ran?: string;
  /** Units of fuel that it used, where its host counted them. */
  readonly fuel?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Folds the history of a run. With the document of its version, steps that have not begun are there too, and names.
 * A run without `run.started` is broken: throws.
 */
export function viewRun(document: FunctionDocument | undefined, run: StoredRun): RunDetail {
  const { history, revision: _, ...summary } = run;
  const steps = pendingSteps(document);
  const stepOf = (id: string): Mutable<StepDetail> => {
    const known = steps.get(id);
    if (known !== undefined) return known;
    const step: Mutable<StepDetail> = { id, status: "pending", attempts: [] };
    steps.set(id, step);
    return step;
  };
  const waits = new Map<string, Mutable<WaitDetail>>();
  let queued: RunDetail["queued"];
  let ending: Pick<Mutable<RunDetail>, "failure" | "reason" | "retryOf" | "edited" | "output"> = {};
  for (const entry of history) {
    switch (entry.type) {
      case "run.started":
        ending = retryOf(entry);
        break;
      case "run.failed":
      case "run.timedOut":
        ending.failure = entry.failure;
        break;
      case "run.resumed":
        delete ending.reason;
        break;
      case "run.retried":
        for (const id of [...entry.steps, ...(entry.items ?? [])]) begin(stepOf(id));
        for (const id of entry.waits) waits.delete(id);
        queued = undefined;
        ending = retryOf(ending);
        break;
      case "run.paused":
      case "run.cancelling":
      case "run.cancelled":
        if (entry.reason !== undefined) ending.reason = entry.reason;
        break;
      case "run.queued": {
        const { at: since, reason, until } = entry;
        queued = { since, reason, ...(until === undefined ? {} : { until }) };
        break;
      }
      case "run.admitted":
        queued = undefined;
        break;
      case "wait.answered":
      case "wait.armed":
      case "wait.matched":
      case "wait.timedOut":
      case "wait.cancelled":
        applyToWait(waits, entry);
        break;
      case "run.collecting":
      case "run.collected":
      case "run.begun":
      case "run.completed":
      case "run.compensating":
      case "items.begun":
      case "item.completed":
      case "item.failed":
      case "items.completed":
        break;
      case "items.failed":
        Object.assign(stepOf(entry.step), {
          status: "failed",
          failure: entry.failure,
          ...(entry.caught && { caught: true }),
        });
        break;
      default:
        applyToStep(stepOf(entry.step), entry);
    }
  }
  const folded = foldHistory(history);
  const { event, events } = folded;
  const collected = viewCollected(history);
  const output = outputOfRun(folded);
  if (output !== undefined) ending.output = output;
  addItems(stepOf, folded);
  if (document !== undefined && summary.status === "parked") addSleep(document, steps, folded);
  if (event === undefined) throw new TypeError(`the history of run ${run.id} does not begin with its event`);
  if (summary.finishedAt !== undefined) {
    for (const step of steps.values()) settle(step);
    for (const wait of waits.values()) if (wait.status === "waiting") wait.status = "cancelled";
  }
  return {
    ...summary,
    event,
    ...(events === undefined ? {} : { events }),
    ...(collected === undefined ? {} : { collected }),
    ...ending,
    ...undone(folded),
    ...(queued === undefined || summary.finishedAt !== undefined ? {} : { queued }),
    steps: [...steps.values()],
    ...(waits.size === 0 ? {} : { waits: [...waits.values()] }),
  };
}

function addSleep(
  document: FunctionDocument,
  steps: ReadonlyMap<string, Mutable<StepDetail>>,
  folded: RunView,
): void {
  for (const step of steps.values()) {
    const until = step.status === "pending" ? sleepsUntil(document, step.id, folded) : undefined;
    if (until !== undefined) step.sleepsUntil = until;
  }
}

/** What is known of the steps that run once an item. */
function addItems(stepOf: (id: string) => Mutable<StepDetail>, folded: RunView): void {
  for (const [id, items] of folded.items) {
    const { status = "pending", output: all } = folded.steps.get(id) ?? {};
    Object.assign(stepOf(id), {
      status: status === "items" ? "running" : status,
      items: itemsDetail(items),
      ...(all === undefined ? {} : { output: all }),
    });
  }
}

/** The steps of a run of which nothing is recorded yet. */
function pendingSteps(document: FunctionDocument | undefined): Map<string, Mutable<StepDetail>> {
  const steps = new Map<string, Mutable<StepDetail>>();
  for (const [id, { name, after }] of Object.entries(document?.steps ?? {})) {
    steps.set(id, {
      id,
      ...(name === undefined ? {} : { name }),
      ...(after === undefined ? {} : { after: after.map((edge) => edge.step) }),
      status: "pending",
      attempts: [],
    });
  }
  return steps;
}

function retryOf({
  retryOf: of,
  edited,
}: Pick<RunDetail, "retryOf" | "edited">): Pick<RunDetail, "retryOf" | "edited"> {
  return { ...(of === undefined ? {} : { retryOf: of }), ...(edited === undefined ? {} : { edited }) };
}

type WaitEntry = Extract<HistoryEntry, { readonly wait: string }>;

function applyToWait(waits: Map<string, Mutable<WaitDetail>>, entry: WaitEntry): void {
  const { at, wait: id } = entry;
  if (entry.type === "wait.armed") {
    const { from: after, eventName: event, until } = entry;
    const cancels = cancelsRun(id) ? ({ cancels: true } as const) : {};
    waits.set(id, { id, after, event, ...cancels, status: "waiting", armedAt: at, until });
    return;
  }
  const wait = waits.get(id);
  // What was answered is what matches, once the wait has begun.
  if (wait === undefined || entry.type === "wait.answered") return;
  wait.endedAt = at;
  if (entry.type === "wait.matched") {
    wait.status = "matched";
    wait.eventId = entry.event.id;
  } else wait.status = entry.type === "wait.timedOut" ? "timedOut" : "cancelled";
}

/** What was tried stays to be seen; what came of it does not count. */
function begin(step: Mutable<StepDetail>): void {
  step.status = "pending";
  delete step.output;
  delete step.emits;
  delete step.retryAt;
  delete step.failure;
  delete step.caught;
}

/** Nothing more comes of a step once its run has finished. */
function settle(step: Mutable<StepDetail>): void {
  if (step.status === "pending" || step.status === "running") step.status = "unreached";
  if (step.status !== "retrying") return;
  step.status = "failed";
  delete step.retryAt;
}

type StepEntry = Extract<HistoryEntry, { readonly type: `step.${string}` }>;

function applyToStep(step: Mutable<StepDetail>, entry: StepEntry): void {
  if (entry.type === "step.uncaught") delete step.caught;
  if (entry.type === "step.emitted" || entry.type === "step.uncaught") return;
  if (entry.type === "step.invoked") {
    const { attempt, functionId, runId, until } = entry;
    const invoked = { attempt, functionId, runId, ...(until === undefined ? {} : { until }) };
    step.invoked = [...(step.invoked ?? []), invoked];
    return;
  }
  delete step.retryAt;
  if (entry.type === "step.skipped") {
    step.status = "skipped";
    return;
  }
  const attempt: AttemptDetail = {
    attempt: entry.attempt,
    startedAt: entry.startedAt,
    endedAt: entry.at,
    ...(entry.type === "step.failed" ? { failure: entry.failure } : {}),
    logLines: entry.logs?.length ?? 0,
    ...(entry.ran === undefined ? {} : { ran: entry.ran }),
    ...(entry.fuel === undefined ? {} : { fuel: entry.fuel }),
  };
  step.attempts = [...step.attempts, attempt];
  if (entry.type === "step.completed") {
    step.status = "completed";
    step.output = entry.output;
    if (entry.emits !== undefined) step.emits = entry.emits.map(({ id, name }) => ({ id, name }));
  } else if (entry.retryAt === undefined) {
    step.status = "failed";
    if (entry.caught === true) step.caught = true;
  } else {
    step.status = "retrying";
    step.retryAt = entry.retryAt;
  }
}
