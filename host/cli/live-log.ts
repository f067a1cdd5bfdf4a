import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "../../runtime/driver.ts";
import type { HistoryEntry } from "../executor/history.ts";
import type { LiveMessage } from "../live.ts";
import { attemptText, controlText, failureText, logLines, shortId, waitText } from "./history-text.ts";
import { preview, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { span, timeOfDay } from "./time.ts";

/** Puts what happens on a host into lines that a person can follow. */
export interface LiveLog {
  lines(message: LiveMessage): string[];
}

type Style = Terminal["out"];

/** "14:03:07.250 " */
const timeWidth = 13;

/** However narrow the terminal, so many characters of an output are shown. */
const leastWidth = 40;

/** Which lines of the logs of attempts were shown as they came, so that none is shown twice. */
function createHeard() {
  const counts = new Map<string, number>();
  return {
    note(message: Extract<LiveMessage, { readonly type: "attempt.logged" }>): void {
      const key = JSON.stringify([message.runId, message.step, message.attempt]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** Of an attempt that has ended: those that were not shown yet. */
    rest(runId: string, entry: Extract<HistoryEntry, { readonly attempt: number }>): readonly LogLine[] {
      const key = JSON.stringify([runId, entry.step, entry.attempt]);
      const shown = counts.get(key) ?? 0;
      counts.delete(key);
      return (entry.logs ?? []).slice(shown);
    },
  };
}

export function createLiveLog(terminal: Terminal, style: Style = terminal.out): LiveLog {
  /** When the runs that are under way began. */
  const started = new Map<string, number>();
  const heard = createHeard();
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
    if (entry.type === "run.completed")
      return line(entry.at, style("green", "■"), run, style("green", "completed"), after);
    if (entry.type === "run.failed") {
      const reason = printable(failureText(entry.failure));
      return line(entry.at, style("red", "■"), run, style("red", "failed"), after, reason);
    }
    const reason = entry.type === "run.cancelled" ? printable(entry.reason ?? "") : undefined;
    return line(entry.at, style("yellow", "■"), run, style("yellow", "cancelled"), after, reason);
  };

  const historyLines = (entry: HistoryEntry, run: string, runId: string): string[] => {
    switch (entry.type) {
      case "run.started":
        started.set(runId, entry.at);
        return [line(entry.at, style("cyan", "▶"), run, "started by", entry.event.name, dim(runId))];
      case "step.completed": {
        const [mark, step, time] = [style("green", "✓"), style("bold", entry.step), dim(attemptText(entry))];
        return [
          ...logLines(heard.rest(runId, entry), style),
          line(entry.at, mark, run, step, time, fitted(entry.output, [mark, run, step, time])),
          ...(entry.emits ?? []).map((event) =>
            line(entry.at, style("cyan", "»"), run, step, "emits", printable(event.name), dim(event.id)),
          ),
        ];
      }
      case "step.failed": {
        const { failure, retryAt } = entry;
        const mark = style(retryAt === undefined ? "red" : "yellow", "✗");
        const reason = `${style("red", failure.code)} ${printable(failure.message)}`;
        const retry = retryAt === undefined ? "" : style("yellow", `· retry in ${span(retryAt - entry.at)}`);
        const [step, time] = [style("bold", entry.step), dim(attemptText(entry))];
        return [
          ...logLines(heard.rest(runId, entry), style),
          line(entry.at, mark, run, step, time, reason, retry),
        ];
      }
      case "step.emitted":
        return [];
      case "step.skipped":
        return [line(entry.at, dim("-"), run, style("bold", entry.step), dim("skipped"))];
      case "run.queued":
      case "run.admitted":
      case "run.paused":
      case "run.resumed":
      case "run.retried":
      case "run.timedOut":
        return [line(entry.at, style("yellow", "…"), run, style("yellow", controlText(entry)))];
      case "wait.armed":
      case "wait.matched":
      case "wait.timedOut":
      case "wait.cancelled":
        return [line(entry.at, style("yellow", "…"), run, ...waitText(entry, dim))];
      default:
        return [runLine(entry, run, runId)];
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
        return [line(message.at, mark, message.functionId, message.code, printable(message.message))];
      }
      const run = `${message.functionId}${dim(`·${shortId(message.runId)}`)}`;
      if (message.type === "history") return historyLines(message.entry, run, message.runId);
      if (message.type === "attempt.logged") {
        heard.note(message);
        const text = dim(printable(message.line.message));
        return [line(message.at, dim("│"), run, style("bold", message.step), text)];
      }
      if (!terminal.verbose) return [];
      const started = dim(`attempt ${message.attempt} started`);
      return [line(message.at, dim("…"), run, style("bold", message.step), started)];
    },
  };
}
