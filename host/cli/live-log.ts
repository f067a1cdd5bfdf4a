import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "../../runtime/driver.ts";
import type { HistoryEntry } from "../run/history.ts";
import type { LiveMessage } from "../live.ts";
import {
  attemptText,
  failureNext,
  collectText,
  controlText,
  failureText,
  logLines,
  shortId,
  waitText,
} from "./history-text.ts";
import { createItemsProgress } from "./items-progress.ts";
import { preview, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { span, timeOfDay } from "./time.ts";

/** Puts what happens on a host into lines that a person can follow. */
export interface LiveLog {
  lines(message: LiveMessage): string[];
}

type Style = Terminal["out"];
type AttemptEntry = Extract<HistoryEntry, { readonly startedAt: number }>;

/** "14:03:07.250 " */
const timeWidth = 13;

/** However narrow the terminal, so many characters of an output are shown. */
const leastWidth = 40;

/** A message's first line, and the others as lines below it, such as the last ones that a build said. */
function messageOf(text: string, style: Style): readonly [first: string, below: readonly string[]] {
  const [first = "", ...rest] = text.split("\n").filter((line) => line.trim() !== "");
  const lines = rest.map((message) => ({ level: "info" as const, message }));
  return [printable(first), logLines(lines, style)];
}

/** Which lines of the logs of attempts were shown as they came, so that none is shown twice. */
function createHeard() {
  const counts = new Map<string, number>();
  return {
    note(message: Extract<LiveMessage, { readonly type: "attempt.logged" }>): void {
      const key = JSON.stringify([message.runId, message.step, message.attempt, message.item]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** Of an attempt that has ended: those that were not shown yet. */
    rest(runId: string, entry: AttemptEntry): readonly LogLine[] {
      const item = "item" in entry ? entry.item : undefined;
      const key = JSON.stringify([runId, entry.step, entry.attempt, item]);
      const shown = counts.get(key) ?? 0;
      counts.delete(key);
      return (entry.logs ?? []).slice(shown);
    },
  };
}

/** What is said of an attempt that has ended, part by part, line by line; each line begins with a mark. */
function attemptParts(
  entry: AttemptEntry,
  run: string,
  { style, fitted }: { readonly style: Style; fitted(value: unknown, rest: readonly string[]): string },
): [string, ...string[]][] {
  const item = "item" in entry ? ` item ${entry.item}` : "";
  const [step, time] = [`${style("bold", entry.step)}${item}`, style("dim", attemptText(entry))];
  if ("output" in entry) {
    const mark = style("green", "✓");
    return [
      [mark, run, step, time, fitted(entry.output, [mark, run, step, time])],
      ...(entry.emits ?? []).map(({ id, name }): [string, ...string[]] => [
        style("cyan", "»"),
        run,
        step,
        "emits",
        printable(name),
        style("dim", id),
      ]),
    ];
  }
  const { failure, retryAt } = entry;
  const [said] = messageOf(failure.message, style);
  const reason = `${style("red", failure.code)} ${said}`;
  const retry = retryAt === undefined ? "" : style("yellow", `· retry in ${span(retryAt - entry.at)}`);
  return [[style(retryAt === undefined ? "red" : "yellow", "✗"), run, step, time, reason, retry]];
}

/** What to do about a run that has failed, below its line. */
function nextLines(entry: HistoryEntry, style: Style): string[] {
  const next = entry.type === "run.failed" ? failureNext(entry.failure) : undefined;
  return next === undefined ? [] : [`${" ".repeat(timeWidth)}${style("cyan", "next:")} ${next}`];
}

function wordOf(type: "step.skipped" | "step.uncaught"): string {
  return type === "step.skipped" ? "skipped" : "has failed, and nothing comes of that";
}

/** What is said of a run that has ended. */
function endParts(
  entry: HistoryEntry,
  run: string,
  after: string | undefined,
  style: Style,
): [string, ...(string | undefined)[]] {
  if (entry.type === "run.completed") return [style("green", "■"), run, style("green", "completed"), after];
  if (entry.type === "run.failed") {
    // The rest of it stands below the attempt.
    const [said] = messageOf(failureText(entry.failure), style);
    return [style("red", "■"), run, style("red", "failed"), after, said];
  }
  const reason = entry.type === "run.cancelled" ? printable(entry.reason ?? "") : undefined;
  return [style("yellow", "■"), run, style("yellow", "cancelled"), after, reason];
}

/** What is shown of a function that a step runs; nothing of events that are published, since those are shown themselves. */
function invokedParts(
  entry: Extract<HistoryEntry, { readonly type: "step.invoked" | "step.emitted" }>,
  style: Style,
): readonly (readonly [string, ...string[]])[] {
  if (entry.type === "step.emitted") return [];
  const what = `invokes ${printable(entry.functionId)}`;
  return [[style("cyan", "»"), style("bold", entry.step), what, style("dim", entry.runId)]];
}

function reasonOf({ failure }: Extract<HistoryEntry, { readonly type: "items.failed" }>): string {
  return printable(failureText(failure));
}

export function createLiveLog(terminal: Terminal, style: Style = terminal.out): LiveLog {
  /** When the runs that are under way began. */
  const started = new Map<string, number>();
  const heard = createHeard();
  const progress = createItemsProgress();
  /** A value as far as it fits behind the rest of its line. */
  const fitted = (value: unknown, rest: readonly string[]): string => {
    const taken = timeWidth + rest.reduce((sum, part) => sum + stripVTControlCharacters(part).length + 1, 0);
    return preview(value, Math.max(terminal.columns - taken, leastWidth));
  };
  const dim = (text: string): string => style("dim", text);

  const line = (at: number, mark: string, ...parts: readonly (string | undefined)[]): string =>
    [dim(timeOfDay(at)), mark, ...parts.filter((part) => part !== undefined && part !== "")].join(" ");

  const runLine = (entry: HistoryEntry, run: string, runId: string): string => {
    const from = started.get(runId);
    started.delete(runId);
    const after = from === undefined ? undefined : dim(`after ${span(entry.at - from)}`);
    const [mark, ...parts] = endParts(entry, run, after, style);
    return line(entry.at, mark, ...parts);
  };

  const attemptLines = (entry: AttemptEntry, run: string, runId: string): string[] => [
    ...logLines(heard.rest(runId, entry), style),
    ...attemptParts(entry, run, { style, fitted }).map(([mark, ...parts]) => line(entry.at, mark, ...parts)),
    ...("failure" in entry ? messageOf(entry.failure.message, style)[1] : []),
  ];

  const historyLines = (entry: HistoryEntry, run: string, runId: string): string[] => {
    switch (entry.type) {
      case "run.started":
        started.set(runId, entry.at);
        return [line(entry.at, style("cyan", "▶"), run, "started by", entry.event.name, dim(runId))];
      case "step.completed":
      case "step.failed":
        return attemptLines(entry, run, runId);
      case "item.completed":
      case "item.failed": {
        const { itself, done } = progress.note(runId, entry);
        if (itself) return attemptLines(entry, run, runId);
        heard.rest(runId, entry);
        return done === undefined
          ? []
          : [line(entry.at, dim("…"), run, style("bold", entry.step), dim(done))];
      }
      case "items.begun":
        progress.begin(runId, entry);
        return [line(entry.at, dim("…"), run, style("bold", entry.step), dim(`${entry.count} items`))];
      case "items.completed":
        progress.end(runId, entry.step);
        return [line(entry.at, style("green", "✓"), run, style("bold", entry.step), dim("all items"))];
      case "items.failed":
        progress.end(runId, entry.step);
        return [line(entry.at, style("red", "✗"), run, style("bold", entry.step), reasonOf(entry))];
      case "step.invoked":
      case "step.emitted":
        return invokedParts(entry, style).map(([mark, ...parts]) => line(entry.at, mark, run, ...parts));
      case "step.uncaught":
      case "step.skipped":
        return [line(entry.at, dim("-"), run, style("bold", entry.step), dim(wordOf(entry.type)))];
      case "run.completed":
      case "run.failed":
      case "run.cancelled":
        return [runLine(entry, run, runId), ...nextLines(entry, style)];
      case "run.collecting":
      case "run.collected":
      case "run.begun":
        return [line(entry.at, style("yellow", "…"), run, collectText(entry))];
      case "wait.answered":
      case "wait.armed":
      case "wait.matched":
      case "wait.timedOut":
      case "wait.cancelled":
        return [line(entry.at, style("yellow", "…"), run, ...waitText(entry, dim))];
      default:
        return [line(entry.at, style("yellow", "…"), run, style("yellow", controlText(entry)))];
    }
  };

  return {
    lines(message) {
      if (message.type === "event.stored") {
        const { name, id, data } = message.event;
        const [mark, title] = [style("blue", "●"), style("blue", printable(name))];
        return [line(message.at, mark, title, fitted(data, [mark, title, id]), dim(printable(id)))];
      }
      if (message.type === "notice") {
        const mark = style(message.level === "error" ? "red" : "yellow", "!");
        const [said, below] = messageOf(message.message, style);
        return [line(message.at, mark, message.functionId, message.code, said), ...below];
      }
      const run = `${message.functionId}${dim(`·${shortId(message.runId)}`)}`;
      if (message.type === "history") return historyLines(message.entry, run, message.runId);
      if (message.type === "attempt.logged") {
        heard.note(message);
        const text = dim(printable(message.line.message));
        return [line(message.at, dim("│"), run, style("bold", message.step), text)];
      }
      if (!terminal.verbose) return [];
      const item = message.item === undefined ? "" : `item ${message.item}, `;
      const started = dim(`${item}attempt ${message.attempt} started`);
      return [line(message.at, dim("…"), run, style("bold", message.step), started)];
    },
  };
}
