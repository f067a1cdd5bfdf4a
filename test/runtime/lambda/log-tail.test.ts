import { describe, expect, test } from "vitest";
import { lastLines, tailLines } from "../../../runtime/lambda/log-tail.ts";

const id = "8f507cfc-3a3e-4b0d-9f1b-0b0d5c2ef8e1";
const time = "2026-11-24T23:41:29.166Z";
const read = (...lines: string[]) => tailLines(Buffer.from(lines.join("\n")).toString("base64"));

describe("the end of a Lambda log", () => {
  test.each([
    ["info", "a plain line", "a plain line"],
    ["info", `${time}\t${id}\tINFO\thello`, "hello"],
    ["error", `${time}\tundefined\tERROR\tbefore any request`, "before any request"],
    ["debug", `${time}\t${id}\tDEBUG\ttwo\rlines`, "two\nlines"],
    ["info", `${time}\t${id}\tLOUD\tno such level`, `${time}\t${id}\tLOUD\tno such level`],
    ["warn", `[WARNING]\t${time}\t${id}\tfrom Python`, "from Python"],
    ["error", "[ERROR] ValueError: from Python", "ValueError: from Python"],
    ["info", "[not a level] text", "[not a level] text"],
    [
      "warn",
      JSON.stringify({ timestamp: time, level: "WARN", requestId: id, message: "as JSON" }),
      "as JSON",
    ],
    ["error", JSON.stringify({ level: "fatal", message: { code: 7 } }), '{"code":7}'],
    ["error", JSON.stringify({ level: "ERROR", errorType: "X" }), '{"level":"ERROR","errorType":"X"}'],
    ["info", '{"level":"hot","message":"no such level"}', '{"level":"hot","message":"no such level"}'],
    ["info", '{"cut off', '{"cut off'],
    ["debug", `START RequestId: ${id} Version: 7`, `START RequestId: ${id} Version: 7`],
    ["debug", `REPORT RequestId: ${id}\tDuration: 1.00 ms\t`, `REPORT RequestId: ${id}\tDuration: 1.00 ms`],
    [
      "debug",
      '{"time":"","type":"platform.report","record":{}}',
      '{"time":"","type":"platform.report","record":{}}',
    ],
  ])("has a line of level %s for %j", (level, line, message) => {
    expect(read(line)).toEqual([{ level, message }]);
  });

  test("leaves out empty lines", () => {
    expect(read("one", "", "  ", "two", "").map(({ message }) => message)).toEqual(["one", "two"]);
  });

  test("says when it may not be all", () => {
    const lines = read("x".repeat(4_096));
    expect(lines[0]).toMatchObject({ level: "debug", message: expect.stringContaining("4 KiB") });
    expect(lines).toHaveLength(2);
    expect(read("x".repeat(4_095))).toHaveLength(1);
  });

  test("may begin within a character", () => {
    const bytes = Buffer.from("ä line\nanother").subarray(1);
    expect(tailLines(bytes.toString("base64")).map(({ message }) => message)).toEqual([
      "\uFFFD line",
      "another",
    ]);
  });
});

describe("the last lines that fit", () => {
  const lines = ["1234", "äö", "12"].map((message) => ({ level: "info" as const, message }));

  test.each([
    [10, 3],
    [9, 2],
    [6, 2],
    [5, 1],
    [1, 0],
    [0, 0],
  ])("into %i bytes", (bytes, count) => {
    expect(lastLines(lines, bytes)).toEqual(lines.slice(lines.length - count));
  });
});
