import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { createLiveLog } from "../../../host/cli/live-log.ts";
import type { Terminal } from "../../../host/cli/terminal.ts";
import type { LiveMessage } from "../../../host/live.ts";

const plain = (_: string, text: string): string => text;
const terminal = { columns: 120, verbose: false, out: plain } as unknown as Terminal;
const identity = { at: 0, runId: "run-1", functionId: "f" };
const logged = (message: string): LiveMessage => ({
  type: "attempt.logged",
  ...identity,
  step: "a",
  attempt: 1,
  line: { level: "info", message },
});

test("lines of a log are shown as they come, and not once more when the attempt has ended", () => {
  const log = createLiveLog(terminal, plain as Terminal["out"]);
  const lines = (message: LiveMessage): readonly string[] =>
    log.lines(message).map((line) => stripVTControlCharacters(line).replace(/^[\d:. ]+/, ""));
  expect(lines(logged("one"))).toEqual(["│ f·run-1 a one"]);
  expect(lines(logged("two"))).toEqual(["│ f·run-1 a two"]);
  const logs = ["one", "two", "three"].map((message) => ({ level: "info" as const, message }));
  const entry = {
    type: "step.completed" as const,
    step: "a",
    attempt: 1,
    startedAt: 0,
    at: 5,
    output: 1,
    logs,
  };
  const shown = lines({ type: "history", ...identity, entry, seq: 2 });
  expect(shown.filter((line) => /one|two|three/.test(line))).toEqual(["│ three"]);
});
