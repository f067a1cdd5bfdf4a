import { expect, test } from "vitest";
import { createLogLines } from "../../runtime/log-lines.ts";

/** The messages of a log that was written in these pieces. */
const messages = (pieces: readonly (string | Uint8Array)[], limit = 1_000): readonly string[] => {
  const log = createLogLines(limit);
  for (const piece of pieces) log.write(Buffer.from(piece));
  return log.all().map(({ message }) => message);
};

test.each([
  ["nothing", [], []],
  ["lines, the last one open", ["a\nb"], ["a", "b"]],
  ["lines, the last one closed", ["a\nb\n"], ["a", "b"]],
  ["empty lines", ["\n\na\n"], ["", "", "a"]],
  ["a line in pieces", ["a", "b", "c\nd"], ["abc", "d"]],
  ["line breaks of Windows, also cut in two", ["a\r\nb\r", "\nc"], ["a", "b", "c"]],
  ["a character in pieces", [Buffer.from("世").subarray(0, 1), Buffer.from("世").subarray(1)], ["世"]],
  ["bytes that are no UTF-8", [Buffer.from([0xff, 0x61])], ["\ufffda"]],
])("of %s", (_, pieces, lines) => {
  expect(messages(pieces)).toEqual(lines);
});

test("a line is told as soon as it is complete", () => {
  const log = createLogLines(100);
  expect(log.write(Buffer.from("a\nb")).lines).toEqual([{ level: "info", message: "a" }]);
  expect(log.write(Buffer.from("c\n\n")).lines.map(({ message }) => message)).toEqual(["bc", ""]);
});

test("as much is kept as fits, and what is over the limit is told", () => {
  const log = createLogLines(5);
  expect(log.write(Buffer.from("abcde")).full).toBe(false);
  expect(log.write(Buffer.from("f")).full).toBe(true);
  expect(log.write(Buffer.from("g")).full).toBe(true);
  expect(log.all()).toEqual([{ level: "info", message: "abcde" }]);
});
