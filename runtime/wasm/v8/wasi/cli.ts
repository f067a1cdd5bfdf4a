import type { LogLine } from "../../../driver.ts";
import { hostFunction, none } from "./host-function.ts";
import type { HostInterfaces } from "./host-function.ts";

const levels: readonly LogLine["level"][] = ["trace", "debug", "info", "warn", "error"];

/** wasi:cli and millrace:step/log: arguments, environment, standard streams, exit, no terminal. */
export const cliInterfaces: HostInterfaces = {
  "millrace:step/log": {
    log: hostFunction<[number, string]>(
      "(enum{trace, debug, info, warn, error}, string)",
      (world, [level, message]) => world.log(levels[level] ?? "info", message),
    ),
  },
  "wasi:cli/environment": {
    "get-environment": hostFunction("() -> list<tuple<string, string>>", ({ env }) => env),
    "get-arguments": hostFunction("() -> list<string>", ({ args }) => args),
    "initial-cwd": hostFunction("() -> option<string>", () => none),
  },
  "wasi:cli/exit": {
    exit: hostFunction<[readonly [number, undefined]]>("(result)", (world, [[failed]]) => world.exit(failed)),
    "exit-with-code": hostFunction<[number]>("(u8)", (world, [status]) => world.exit(status)),
  },
  "wasi:cli/stdin": { "get-stdin": hostFunction("() -> own<input-stream>", ({ stdin }) => stdin) },
  "wasi:cli/stdout": { "get-stdout": hostFunction("() -> own<output-stream>", ({ stdout }) => stdout) },
  "wasi:cli/stderr": { "get-stderr": hostFunction("() -> own<output-stream>", ({ stderr }) => stderr) },
  "wasi:cli/terminal-stdin": {
    "get-terminal-stdin": hostFunction("() -> option<own<terminal-input>>", () => none),
  },
  "wasi:cli/terminal-stdout": {
    "get-terminal-stdout": hostFunction("() -> option<own<terminal-output>>", () => none),
  },
  "wasi:cli/terminal-stderr": {
    "get-terminal-stderr": hostFunction("() -> option<own<terminal-output>>", () => none),
  },
};
