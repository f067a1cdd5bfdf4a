import { resolve } from "node:path";
import type { Problem } from "../errors.ts";
import type { StepToBuild } from "./languages/language.ts";
import type { ToolRun } from "./run-tool.ts";

/** Problems that are listed of one step; further ones mostly follow from these. */
const mostProblems = 20;

/** Lines of a tool's output that are shown where no place was found in it. */
const lastLines = 15;

/** `file:line:column: error: message`, as most compilers print it; the message without its kind. */
const place = /^(?<file>[^\s:][^:\n]*):(?<line>\d+):(?:(?<column>\d+):)?\s+(?<message>.+)$/gm;

/** What a compiler printed, as problems with their places: `cwd` is where its relative paths begin. */
export function compilerProblems(
  run: ToolRun,
  tool: string,
  step: StepToBuild,
  options: { readonly cwd: string; readonly isError?: RegExp },
): readonly Problem[] {
  const text = `${run.stderr}\n${run.stdout}`;
  const { cwd, isError = /^(?:fatal )?error(?:\[\w+\])?: (?<message>.*)/ } = options;
  const problems: Problem[] = [];
  for (const { groups } of text.matchAll(place)) {
    const message = isError.exec(groups?.["message"] ?? "")?.groups?.["message"];
    if (groups === undefined || message === undefined) continue;
    const { file = "", line, column } = groups;
    problems.push({
      code: "ERR_BUILD_FAILED",
      message,
      file: step.display(resolve(cwd, file)),
      line: Number(line),
      ...(column === undefined ? {} : { column: Number(column) }),
    });
  }
  if (problems.length > 0) return unique(problems).slice(0, mostProblems);
  return [toolProblem(run, tool, step.display(step.file))];
}

/** A tool's failure without a place: how it ended, and what it said last. */
export function toolProblem(run: ToolRun, tool: string, file: string): Problem {
  const how = run.late
    ? "did not end in time"
    : run.code === null
      ? "was ended by a signal"
      : `ended with ${run.code}`;
  const said = lastOf(run);
  return { code: "ERR_BUILD_FAILED", message: `${tool} ${how}`, file, ...(said.length > 0 && { said }) };
}

/** The last lines that a tool printed. */
function lastOf({ stderr, stdout }: Pick<ToolRun, "stderr" | "stdout">): readonly string[] {
  const lines = (stderr.trim() === "" ? stdout : stderr).split("\n").map((line) => line.trimEnd());
  return lines.filter((line) => line !== "").slice(-lastLines);
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()];
}
