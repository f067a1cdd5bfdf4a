import type { LogLine } from "../../runtime/driver.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import { hostErrors } from "../errors.ts";
import { cancelsRun, unlimitedMs } from "../function/define-waits.ts";
import type { Json } from "../../runtime/json.ts";
import type { HistoryEntry } from "../run/history.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { span } from "./time.ts";

/** The part of a run's id that tells it from those near it in time: the front is a time stamp. */
export function shortId(id: string): string {
  return id.slice(-6);
}

/** A step's log, indented below the time so that it is told from Millrace's own lines. */
export function logLines(logs: readonly LogLine[], style: Terminal["out"]): string[] {
  const colours = { error: "red", warn: "yellow", info: "dim", debug: "dim", trace: "dim" } as const;
  return logs.flatMap(({ level, message }) => {
    const name = level === "info" ? "" : `${level}: `;
    const lines = `${name}${message}`.trimEnd().split("\n");
    return lines.map((line) => `             ${style(colours[level], "│")} ${printable(line)}`);
  });
}

/** "18 ms", and from the second attempt on "attempt 2 18 ms". */
export function attemptText(entry: { attempt: number; startedAt: number; at: number }): string {
  const time = span(entry.at - entry.startedAt);
  return entry.attempt === 1 ? time : `attempt ${entry.attempt} ${time}`;
}

/** "step-2: ERR_STEP_FATAL no such user". */
export function failureText(failure: { code: string; message: string; step?: string }): string {
  return `${failure.step === undefined ? "" : `${failure.step}: `}${failure.code} ${failure.message}`;
}

/** Failures of which the message is the step's own: nobody but its author knows what to do. */
const own: ReadonlySet<string> = new Set(["ERR_STEP_FAILED", "ERR_STEP_FATAL"]);

/** What to do about a failure, where Millrace knows. */
export function failureNext({ code }: { readonly code: string }): string | undefined {
  const rows: Readonly<Record<string, { readonly next: string }>> = { ...hostErrors, ...runtimeErrors };
  return own.has(code) ? undefined : rows[code]?.next;
}

/** "is cancelled if order/withdrawn comes within 1 h 0 min". */
export function cancelText(event: string, within: number): string {
  // One that is for good is written down as one for years.
  const limit = within > unlimitedMs / 2 ? "" : ` within ${span(within)}`;
  return `is cancelled if ${printable(event)} comes${limit}`;
}

/** What has become of a wait: "waits for order/paid, 1 h 0 min at most". */
export function waitText(
  entry: Extract<HistoryEntry, { readonly wait: string }>,
  dim: (text: string) => string,
): readonly string[] {
  const id = dim(`(${entry.wait})`);
  switch (entry.type) {
    case "wait.armed":
      if (cancelsRun(entry.wait)) return [cancelText(entry.eventName, entry.until - entry.at), id];
      return [`waits for ${printable(entry.eventName)}, ${span(entry.until - entry.at)} at most`, id];
    case "wait.answered":
      return [`its link was answered: ${printable(entry.event.name)}`, id];
    case "wait.matched":
      return [
        `what ${cancelsRun(entry.wait) ? "cancels it" : "it waited for"} came: ${printable(entry.event.id)}`,
        id,
      ];
    case "wait.timedOut":
      return ["what it waited for did not come", id];
    default:
      return ["waits no more", id];
  }
}

/** What a run collects before it begins: "collects a batch with key \"acme\", begins in 30 s". */
export function collectText(
  entry: Extract<HistoryEntry, { readonly type: "run.collecting" | "run.collected" | "run.begun" }>,
): string {
  if (entry.type === "run.collecting") {
    const left = span(entry.until - entry.at);
    const what =
      entry.by === "batch" ? `collects a batch${keyText(entry.key)}` : `is put off${keyText(entry.key)}`;
    return `${what}, begins in ${left}`;
  }
  if (entry.type === "run.begun") return `begins: ${begunTexts[entry.why]}`;
  const [first] = entry.events;
  const count = entry.events.length === 1 ? `event ${first?.id ?? ""}` : `${entry.events.length} events`;
  return printable(`has ${count} more, begins in ${span(entry.until - entry.at)}`);
}

/** Why a run began that had collected events. */
export const begunTexts = {
  time: "its time was over",
  count: "there were enough events",
  size: "its events were as large as they may be",
} as const;

/** " with key \"acme\"": what the events of a run have in common. */
export function keyText(key: Json | undefined): string {
  return key === undefined ? "" : ` with key ${printable(JSON.stringify(key))}`;
}

/** What was done with a run: "paused: look into it". */
export function controlText(
  entry: Extract<
    HistoryEntry,
    {
      readonly type:
        | "run.paused"
        | "run.resumed"
        | "run.retried"
        | "run.cancelling"
        | "run.compensating"
        | "run.timedOut"
        | "run.queued"
        | "run.admitted";
    }
  >,
): string {
  if (entry.type === "run.compensating")
    return `undoes ${entry.steps.map(({ step }) => printable(step)).join(", ")}`;
  if (entry.type === "run.cancelling") {
    return `is to be cancelled${entry.reason === undefined ? "" : `: ${printable(entry.reason)}`}`;
  }
  if (entry.type === "run.timedOut") return printable(entry.failure.message);
  if (entry.type === "run.queued") return queuedText(entry.reason, entry);
  if (entry.type === "run.admitted") return "goes on: its turn has come";
  if (entry.type === "run.retried") {
    const items = (entry.items ?? []).map((step) => `items of ${step}`);
    return `goes on once more, with ${[...items, ...entry.steps].map(printable).join(", ")}`;
  }
  const reason =
    entry.type === "run.paused" && entry.reason !== undefined ? `: ${printable(entry.reason)}` : "";
  return `${entry.type === "run.paused" ? "paused" : "resumed"}${reason}`;
}

/** "waits for its turn: throttle: 10 in 1m, for 6 s". */
function queuedText(reason: string, { at, until }: { readonly at: number; readonly until?: number }): string {
  const rest = until === undefined ? "" : `, for ${span(until - at)}`;
  return `waits for its turn: ${printable(reason)}${rest}`;
}
