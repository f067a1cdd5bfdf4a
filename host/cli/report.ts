import type { Problem } from "../errors.ts";
import { describeError, type Reported } from "./errors.ts";
import { Interrupted } from "./interrupt.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Tells the user of an error, and returns the exit code that goes with it. */
export function reportError(error: unknown, terminal: Terminal): number {
  // Whoever interrupts a command knows it.
  if (error instanceof Interrupted) return error.exitCode;
  const reported = describeError(error);
  if (terminal.json) terminal.printJson({ error: errorDocument(reported, terminal.verbose) });
  else for (const line of errorLines(reported, terminal)) terminal.note(line);
  return reported.exitCode;
}

function errorDocument({ code, message, next, problems, stack }: Reported, verbose: boolean): unknown {
  return { code, message, next, problems, ...(verbose && stack !== undefined ? { stack } : {}) };
}

function errorLines({ code, message, next, problems, stack }: Reported, terminal: Terminal): string[] {
  const { err } = terminal;
  const head = `${err("red", "millrace:")} ${err("bold", code)}: ${printable(message)}`;
  return [
    // The problems say it better than a message that joins them.
    ...(problems.length > 0 ? problems.flatMap((problem) => problemLines(problem, err)) : [head]),
    `  ${err("cyan", "next:")} ${printable(next)}`,
    ...(terminal.verbose && stack !== undefined ? [err("dim", stack)] : []),
  ];
}

/** A problem as compilers print theirs: `file:line:column: CODE: message`, and what helps below. */
export function problemLines(problem: Problem, style: Terminal["err"]): string[] {
  const { file, line, column, pointer, code, message, expected, suggestion, said = [] } = problem;
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  // The pointer is for places that have no line.
  const where = line === undefined && pointer !== undefined && pointer !== "" ? ` ${pointer}` : "";
  const head = [
    ...(place === "" && where === "" ? [] : [`${style("bold", printable(`${place}${where}`.trim()))}: `]),
    `${style("red", code)}: ${printable(message)}`,
  ].join("");
  return [
    head,
    ...(expected === undefined ? [] : [`  expected: ${printable(expected)}`]),
    ...(suggestion === undefined ? [] : [`  did you mean: ${printable(suggestion)}`]),
    ...said.map((text) => style("dim", `  ${printable(text)}`)),
  ];
}
