import type { LogLine } from "../driver.ts";

type Level = LogLine["level"];

/** What Lambda's runtimes call levels. */
const levels: Readonly<Record<string, Level>> = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  NOTICE: "info",
  WARN: "warn",
  WARNING: "warn",
  ERROR: "error",
  FATAL: "error",
  CRITICAL: "error",
};

/** Lines of Lambda itself: what an invocation took, and where it began and ended. */
const platformLine =
  /^(?:START RequestId: |END RequestId: |REPORT RequestId: |RESTORE_(?:START|REPORT) |INIT_(?:START|REPORT) |XRAY TraceId: |EXTENSION\t|TELEMETRY\t|LOGS\t)/;
/** Node: time, request, level, message. */
const nodeLine = /^\d{4}-\d\d-\d\dT[\d:.]+Z\t(?:[\da-f-]{36}|undefined)\t([A-Z]+)\t(.*)$/s;
/** Python: [level], then time and request where it is the runtime's own format, then the message. */
const pythonLine = /^\[([A-Z]+)\]\s+(?:\d{4}-\d\d-\d\dT[\d:.]+Z\t[\da-f-]{36}\t)?(.*)$/s;

/** Lambda gives no more than so much of the log. */
const longestTail = 4_096;

/** The lines of an invocation's `LogResult`, the last 4 KiB of its log in Base64. */
export function tailLines(logResult: string): readonly LogLine[] {
  const bytes = Buffer.from(logResult, "base64");
  const lines = bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(readLine);
  if (bytes.length < longestTail) return lines;
  return [{ level: "debug", message: "Lambda gives the last 4 KiB of the log:" }, ...lines];
}

/** The last lines that fit into a number of bytes. */
export function lastLines(lines: readonly LogLine[], bytes: number): readonly LogLine[] {
  let left = bytes;
  const firstCut = lines.findLastIndex(({ message }) => (left -= Buffer.byteLength(message)) < 0);
  return firstCut === -1 ? lines : lines.slice(firstCut + 1);
}

function readLine(line: string): LogLine {
  if (platformLine.test(line)) return { level: "debug", message: line.trimEnd() };
  const json = line.startsWith("{") ? readJson(line) : undefined;
  if (json !== undefined) return json;
  const [, name = "", message = ""] = nodeLine.exec(line) ?? pythonLine.exec(line) ?? [];
  const level = levels[name];
  // Within a message, Lambda writes a carriage return for a line break.
  const text = level === undefined ? line : message;
  return { level: level ?? "info", message: text.trimEnd().replaceAll("\r", "\n") };
}

/** A line of the JSON log format: of the platform, or of the function with its level. */
function readJson(line: string): LogLine | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return undefined;
  }
  const { type, level, message } = value;
  if (typeof type === "string" && type.startsWith("platform.")) return { level: "debug", message: line };
  const known = typeof level === "string" ? levels[level.toUpperCase()] : undefined;
  if (known === undefined) return undefined;
  if (typeof message === "string") return { level: known, message };
  // Errors have their own fields in place of a message.
  return { level: known, message: message === undefined ? line : JSON.stringify(message) };
}
