import type { LogLine } from "../../runtime/driver.ts";
import type { RunStatus } from "../run/history.ts";
import type { RunDetail, StepDetail, WaitDetail } from "../run/view.ts";
import type { CollectedDetail } from "../run/view-collected.ts";
import { triggerStep } from "../function/document.ts";
import type { RunSummary } from "../state/state.ts";
import { begunTexts, cancelText, failureNext, failureText, keyText, logLines } from "./history-text.ts";
import { preview, printable, shorten } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { dateAndTime, span } from "./time.ts";

/** The log of one attempt, as the reading API gives it. */
export interface AttemptLogs {
  readonly step: string;
  readonly attempt: number;
  readonly lines: readonly LogLine[];
}

const statusColours = {
  running: "cyan",
  parked: "yellow",
  paused: "yellow",
  completed: "green",
  failed: "red",
  cancelled: "yellow",
} as const satisfies Record<RunStatus, string>;

const stepMarks = {
  pending: ["dim", "…"],
  running: ["cyan", "…"],
  retrying: ["yellow", "↻"],
  completed: ["green", "✓"],
  failed: ["red", "✗"],
  skipped: ["dim", "-"],
  unreached: ["dim", "·"],
} as const satisfies Record<StepDetail["status"], readonly [string, string]>;

const waitMarks = {
  waiting: ["yellow", "…"],
  matched: ["green", "✓"],
  timedOut: ["yellow", "✗"],
  cancelled: ["dim", "·"],
} as const satisfies Record<WaitDetail["status"], readonly [string, string]>;

/** Runs as an aligned table; it says what they wait for where one does. */
export function runTable(runs: readonly RunSummary[], { out }: Terminal): string[] {
  const waits = runs.some(({ waitsFor }) => waitsFor !== undefined) ? ["WAITS FOR"] : [];
  const headings = ["RUN", "FUNCTION", "STATUS", "EVENT", "STARTED", "TOOK", ...waits];
  const columns = headings.map((heading) => ({ heading }));
  const rows = runs.map((run) => [
    run.id,
    printable(run.functionId),
    out(statusColours[run.status], run.status),
    printable(run.eventName),
    dateAndTime(run.createdAt),
    run.finishedAt === undefined ? "" : span(run.finishedAt - run.createdAt),
    shorten(printable(run.waitsFor ?? ""), 60),
  ]);
  return table(columns, rows, (text) => out("dim", text));
}

/** One run, its steps and what they logged. `now`: milliseconds since 1970, for what is still to come. */
export function runLines(
  run: RunDetail,
  logs: readonly AttemptLogs[],
  now: number,
  { out, columns }: Terminal,
): string[] {
  const status = out(statusColours[run.status], run.status);
  const took = run.finishedAt === undefined ? "" : ` in ${span(run.finishedAt - run.createdAt)}`;
  const wakes =
    run.wakeAt === undefined || run.status === "paused"
      ? ""
      : `, woken in ${span(run.wakeAt - now)} at the latest`;
  const field = (name: string, value: string): string => `${out("dim", name.padEnd(9))} ${value}`;
  const waits = run.waitsFor ?? (run.queued && `its turn: ${run.queued.reason}`);
  const why = run.failure === undefined ? run.reason : failureText(run.failure);
  const next = run.failure === undefined ? undefined : failureNext(run.failure);
  return [
    field("run", out("bold", run.id)),
    field("status", `${status}${took}${wakes}`),
    ...(waits === undefined ? [] : [field("waits", printable(`for ${waits}`))]),
    ...(why === undefined ? [] : [field("why", printable(why))]),
    ...(run.undone === undefined ? [] : [field("undone", run.undone.map(printable).join(", ") || "nothing")]),
    ...(run.notUndone === undefined
      ? []
      : [field("left over", out("red", run.notUndone.map(printable).join(", ")))]),
    ...(next === undefined ? [] : [field("next", next)]),
    field("function", `${printable(run.functionId)} ${out("dim", `version ${run.functionVersion}`)}`),
    field("event", `${printable(run.eventName)} ${out("dim", printable(run.eventId))}`),
    ...(run.retryOf === undefined ? [] : [field("retry of", retryText(run.retryOf, run.edited))]),
    ...(run.userId === undefined ? [] : [field("user", printable(run.userId))]),
    field("started", dateAndTime(run.createdAt)),
    ...(run.collected === undefined ? [] : [field(run.collected.by, collectedText(run.collected, now))]),
    ...(run.events ?? [run.event]).map((event, index) =>
      field(index === 0 ? "data" : "", preview(event.data, Math.max(columns - 10, 40))),
    ),
    ...(run.output === undefined ? [] : [field("output", preview(run.output, Math.max(columns - 10, 40)))]),
    "",
    ...run.steps.flatMap((step) => stepLines(step, logs, now, { out, columns })),
    ...(run.waits ?? []).map((wait) => waitLine(wait, now, out)),
  ];
}

/** "3 events with key "acme", begins in 12 s", "100 events with key "acme": there were enough events". */
function collectedText({ count, key, until, why }: CollectedDetail, now: number): string {
  const what = `${count} ${count === 1 ? "event" : "events"}${keyText(key)}`;
  return why === undefined ? `${what}, begins in ${span(until - now)}` : `${what}: ${begunTexts[why]}`;
}

function retryText(of: string, edited: readonly string[] = []): string {
  return edited.length === 0 ? of : `${of}, with other ${edited.map(printable).join(" and ")}`;
}

function cancelLine({ event, status, until, eventId = "" }: WaitDetail, now: number): string {
  if (status === "matched") return `${printable(event)} came, which cancels the run: ${printable(eventId)}`;
  return status === "waiting"
    ? cancelText(event, until - now)
    : `${printable(event)}, which cancels the run, did not come`;
}

function waitLine(wait: WaitDetail, now: number, out: Terminal["out"]): string {
  const [colour, mark] = waitMarks[wait.status];
  if (wait.cancels === true) return `  ${out(colour, mark)} ${cancelLine(wait, now)}`;
  const how = {
    waiting: `until ${dateAndTime(wait.until)}, in ${span(wait.until - now)}`,
    matched: `came: ${printable(wait.eventId ?? "")}`,
    timedOut: `did not come until ${dateAndTime(wait.until)}`,
    cancelled: "was not needed any more",
  }[wait.status];
  const after = wait.after === triggerStep ? "" : out("dim", ` after ${printable(wait.after)}`);
  return `  ${out(colour, mark)} wait for ${out("bold", printable(wait.event))}${after} ${how}`;
}

function stepLines(
  step: StepDetail,
  logs: readonly AttemptLogs[],
  now: number,
  { out, columns }: Pick<Terminal, "out" | "columns">,
): string[] {
  const [colour, mark] = stepMarks[step.status];
  const { retryAt, sleepsUntil = 0 } = step;
  const retry = retryAt === undefined ? "" : ` in ${span(retryAt - now)}`;
  const sleeps =
    sleepsUntil <= now ? "" : `, not before ${dateAndTime(sleepsUntil)}, in ${span(sleepsUntil - now)}`;
  const name = step.name === undefined ? "" : ` ${out("dim", printable(step.name))}`;
  const attempts = step.attempts.flatMap((attempt) => [
    ...logLines(
      logs.find((log) => log.step === step.id && log.attempt === attempt.attempt)?.lines ?? [],
      out,
    ),
    `    attempt ${attempt.attempt} ${out("dim", span(attempt.endedAt - attempt.startedAt))}${
      attempt.failure === undefined ? "" : ` ${printable(failureText(attempt.failure))}`
    }${attempt.ran === undefined ? "" : ` ${out("dim", printable(attempt.ran))}`}${
      attempt.fuel === undefined ? "" : ` ${out("dim", `fuel ${attempt.fuel}`)}`
    }`,
  ]);
  const output = step.output === undefined ? [] : outputLines(step, Math.max(columns - 4, 40));
  return [
    `  ${out(colour, mark)} ${out("bold", printable(step.id))} ${out(colour, step.status)}${step.caught === true ? ", and the run went on" : ""}${retry}${sleeps}${name}`,
    ...attempts,
    ...(step.failure === undefined ? [] : [`    ${printable(failureText(step.failure))}`]),
    ...(step.items === undefined ? [] : itemsLines(step.items, out)),
    ...output,
    ...(step.invoked ?? []).map(
      ({ functionId, runId }) => `    invoked ${printable(functionId)} ${out("dim", printable(runId))}`,
    ),
    ...(step.emits ?? []).map(
      ({ id, name }) => `    emitted ${printable(name)} ${out("dim", printable(id))}`,
    ),
  ];
}

/** Of a step that runs once an item, no more of the output than fits on a line. */
function outputLines({ output, items }: StepDetail, width: number): string[] {
  if (items !== undefined) return [`    ${preview(output, width)}`];
  return JSON.stringify(output, undefined, 2)
    .split("\n")
    .map((line) => `    ${printable(line)}`);
}

function itemsLines(
  { total, completed, failed, retrying, failures }: NonNullable<StepDetail["items"]>,
  out: Terminal["out"],
): string[] {
  const counts = [
    `${completed} of ${total} items completed`,
    ...(failed === 0 ? [] : [out("red", `${failed} failed`)]),
    ...(retrying === 0 ? [] : [out("yellow", `${retrying} wait for another attempt`)]),
  ];
  const more = failed - failures.length;
  return [
    `    ${counts.join(", ")}`,
    ...failures.map((failure) => {
      const attempts = failure.attempts === 1 ? "" : out("dim", ` after ${failure.attempts} attempts`);
      return `    ${out("red", "✗")} item ${failure.item} ${printable(failureText(failure))}${attempts}`;
    }),
    ...(more > 0 ? [out("dim", `    and ${more} more`)] : []),
  ];
}
