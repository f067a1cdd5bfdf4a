import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { createLiveLog } from "../../../host/cli/live-log.ts";
import { runLines, runTable } from "../../../host/cli/run-text.ts";
import type { Terminal } from "../../../host/cli/terminal.ts";
import { unlimitedMs } from "../../../host/function/define-waits.ts";
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

test("a message of several lines, such as a build's, is shown below what failed, and no line passes for another", () => {
  const log = createLiveLog(terminal, plain as Terminal["out"]);
  const failure = {
    code: "ERR_IMAGE_BUILD" as const,
    message: "It can't be built. Its last lines:\none\n\n00:00:00.000 ■ f completed\u001b[2J\n",
    retry: false,
  };
  const below = ["             │ one", "             │ 00:00:00.000 ■ f completed"];
  const notice = { type: "notice" as const, at: 0, level: "error" as const, functionId: "f", ...failure };
  expect(log.lines(notice).slice(1)).toEqual(below);
  const entry = { type: "step.failed" as const, step: "a", attempt: 1, startedAt: 0, at: 5, failure };
  const [first, ...rest] = log.lines({ type: "history", ...identity, entry, seq: 2 });
  expect(first).toMatch(/✗ f·run-1 a 5 ms ERR_IMAGE_BUILD It can't be built\. Its last lines:/);
  expect(rest).toEqual(below);
  const ended = { type: "run.failed" as const, at: 5, failure: { ...failure, step: "a" } };
  const shown = log.lines({ type: "history", ...identity, entry: ended, seq: 3 });
  expect(shown).toEqual([
    expect.stringMatching(/■ f·run-1 failed a: ERR_IMAGE_BUILD It can't be built\. Its last lines:$/),
    expect.stringContaining("next:"),
  ]);
});

test("what a run waits for is told apart from what would cancel it", () => {
  const log = createLiveLog(terminal, plain as Terminal["out"]);
  const armed = (wait: string, until: number): string => {
    const entry = { type: "wait.armed" as const, at: 0, wait, from: "$trigger", eventName: "a/b", until };
    return log.lines({ type: "history", ...identity, entry, seq: 2 }).join();
  };
  expect(armed("w1", 60_000)).toContain("waits for a/b, 1 min 0 s at most");
  expect(armed("c1", 60_000)).toContain("is cancelled if a/b comes within 1 min 0 s");
  expect(armed("c1", unlimitedMs)).toMatch(/is cancelled if a\/b comes \(c1\)/);
});

test("a parked run shows what it waits for, in the list, by itself and with its waits", () => {
  const summary = {
    id: "run-1",
    functionId: "f",
    functionVersion: "v",
    eventId: "e",
    eventName: "a/b",
    createdAt: 0,
    status: "parked" as const,
    wakeAt: 60_000,
    waitsFor: "event c/d",
  };
  expect(runTable([summary], terminal)[1]).toMatch(/parked {2}a\/b .* event c\/d$/);
  const { waitsFor: _, ...running } = summary;
  expect(runTable([running], terminal)[0]).toMatch(/TOOK$/);
  const wait = { after: "$trigger", status: "waiting" as const, armedAt: 0, until: 60_000 };
  const detail = {
    ...summary,
    event: { id: "e", name: "a/b", data: {}, ts: 0 },
    steps: [{ id: "s", status: "pending" as const, attempts: [], sleepsUntil: 30_000 }],
    waits: [
      { id: "w1", event: "c/d", ...wait },
      { id: "c1", event: "e/f", ...wait, cancels: true as const },
    ],
  };
  const lines = runLines(detail, [], 0, terminal).join("\n");
  expect(lines).toContain("parked, woken in 1 min 0 s at the latest\nwaits     for event c/d\n");
  expect(lines).toMatch(/s pending, not before .*, in 30\.0 s/);
  expect(lines).toMatch(/wait for c\/d until .*, in 1 min 0 s/);
  expect(lines).toContain("is cancelled if e/f comes within 1 min 0 s");
  expect(runLines({ ...detail, status: "paused" }, [], 0, terminal).join("\n")).not.toContain("woken");
});
