import { describe, expect, test } from "vitest";
import { parseDuration } from "../../../host/function/duration.ts";
import { parseSize } from "../../../host/function/size.ts";

describe("a duration", () => {
  test.each([
    ["500ms", 500],
    ["1s", 1_000],
    ["30s", 30_000],
    ["1.5h", 5_400_000],
    ["5m", 300_000],
    ["2 days", 172_800_000],
    ["1 week", 604_800_000],
    ["10 minutes", 600_000],
    ["0s", 0],
    ["0.4ms", 0],
  ])("%s is %d ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    "",
    "1",
    "s",
    "-1s",
    "+1s",
    "1 fortnight",
    "1y",
    "1s 2m",
    "1e3s",
    " 1s",
    "1s ",
    "1.s",
    ".5s",
    "∞s",
    "1s\n",
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBe(undefined);
  });

  test("a text of any length is looked at in no time", () => {
    expect(parseDuration(`${"1".repeat(1_000_000)}s`)).toBe(undefined);
  });
});

describe("a size", () => {
  test.each([
    [0, 0],
    [65_536, 65_536],
    ["0B", 0],
    ["1B", 1],
    ["64KiB", 65_536],
    ["64 KiB", 65_536],
    ["1kB", 1_000],
    ["1KB", 1_000],
    ["128MiB", 134_217_728],
    ["1.5MiB", 1_572_864],
    ["1MB", 1_000_000],
    ["4GiB", 4_294_967_296],
    ["1GB", 1_000_000_000],
  ])("%j is %d bytes", (size, bytes) => {
    expect(parseSize(size)).toBe(bytes);
  });

  test.each([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "64",
    "MiB",
    "64mib",
    "64M",
    "-1B",
    "1e3B",
    "1TiB",
    "1B\n",
  ])("%j is none", (size) => {
    expect(parseSize(size)).toBe(undefined);
  });
});
