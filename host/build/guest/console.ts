import { describeError, format, inspect } from "./inspect.ts";

/** The levels of millrace:step/log. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** Where the lines of the console go. */
export type Write = (level: Level, text: string) => void;

/** Puts a console in place that hands each message to `write`. */
export function installConsole(write: Write): void {
  let indent = "";
  const counts = new Map<string, number>();
  const timers = new Map<string, number>();
  const line = (level: Level, text: string): void =>
    write(level, indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));
  const at =
    (level: Level) =>
    (...values: unknown[]): void =>
      line(level, format(values));
  const elapsed = (label: string): string => {
    const start = timers.get(label);
    return start === undefined ? "no such timer" : `${(performance.now() - start).toFixed(3)}ms`;
  };
  const group = (...values: unknown[]): void => {
    if (values.length > 0) line("info", format(values));
    indent += "  ";
  };
  const groupEnd = (): void => {
    indent = indent.slice(2);
  };
  const console = {
    trace(...values: unknown[]): void {
      const stack = describeError(new Error(format(values)))
        .split("\n")
        .slice(1);
      line("trace", [`Trace: ${format(values)}`, ...stack].join("\n"));
    },
    debug: at("debug"),
    log: at("info"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    dir: (value: unknown): void => line("info", inspect(value)),
    table: at("info"),
    assert(condition: unknown, ...values: unknown[]): void {
      if (!condition)
        line("error", values.length === 0 ? "Assertion failed" : `Assertion failed: ${format(values)}`);
    },
    count(label = "default"): void {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      line("info", `${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default"): boolean => counts.delete(label),
    group,
    groupCollapsed: group,
    groupEnd,
    time: (label = "default"): unknown => timers.set(label, performance.now()),
    timeLog: (label = "default", ...values: unknown[]): void =>
      line("info", [`${label}: ${elapsed(label)}`, ...values.map(inspect)].join(" ")),
    timeEnd(label = "default"): void {
      line("info", `${label}: ${elapsed(label)}`);
      timers.delete(label);
    },
  };
  Object.assign(globalThis, { console });
}
