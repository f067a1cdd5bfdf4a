import type { Json } from "../../runtime/json.ts";
import type { RecordedFailure } from "../run/history.ts";
import { outputOfRun } from "../run/output.ts";
import { foldHistory } from "../run/run-view.ts";
import type { StoredRun } from "../state/state.ts";
import { failureNext, failureText } from "./history-text.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { span } from "./time.ts";

/** What one run came to, as `millrace run` prints it. */
export interface RunReport {
  readonly status: StoredRun["status"];
  readonly runId: string;
  /** What the run came to, once it has completed. */
  readonly output?: Json;
  /** The outputs of the steps that completed, by step id. */
  readonly outputs: Readonly<Record<string, Json>>;
  readonly failure?: RecordedFailure & {
    readonly step?: string;
    /** What to do about it, where Millrace knows. */
    readonly next?: string;
  };
}

export function runReport(run: StoredRun): RunReport {
  const view = foldHistory(run.history);
  const { steps } = view;
  const output = outputOfRun(view);
  const ending = run.history.find((entry) => entry.type === "run.failed");
  const next = ending === undefined ? undefined : failureNext(ending.failure);
  const outputs: [string, Json][] = [];
  for (const [id, step] of steps) {
    if (step.status === "completed") outputs.push([id, step.output ?? null]);
  }
  return {
    status: run.status,
    runId: run.id,
    ...(output === undefined ? {} : { output }),
    outputs: Object.fromEntries(outputs),
    ...(ending === undefined ? {} : { failure: { ...ending.failure, ...(next !== undefined && { next }) } }),
  };
}

/** The same for a person: each step's output in full. */
export function runReportLines(run: StoredRun, style: Terminal["out"]): string[] {
  const report = runReport(run);
  const colour = report.status === "completed" ? "green" : "red";
  const took = span((run.finishedAt ?? run.createdAt) - run.createdAt);
  return [
    `${style(colour, report.status)} ${style("dim", `in ${took}`)}`,
    ...(report.failure === undefined ? [] : [`  ${printable(failureText(report.failure))}`]),
    ...(report.failure?.next === undefined ? [] : [`  ${style("cyan", "next:")} ${report.failure.next}`]),
    ...Object.entries(report.outputs).flatMap(([step, output]) => [
      style("bold", step),
      ...JSON.stringify(output, undefined, 2)
        .split("\n")
        .map((line) => `  ${printable(line)}`),
    ]),
  ];
}
