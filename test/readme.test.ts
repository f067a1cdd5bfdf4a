import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { cliErrors } from "../host/cli/errors.ts";
import { hostErrors } from "../host/errors.ts";
import { runtimeErrors } from "../runtime/errors.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

/** The rows of the table under a heading, cells trimmed, without its head. */
function table(heading: string): string[][] {
  const section = readme.split(`\n### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}

describe("the README's tables of errors say what the code says", () => {
  test("of the host", () => {
    expect(table("Errors of the host")).toEqual(
      Object.entries(hostErrors).map(([code, { status, summary, next }]) => [
        `\`${code}\``,
        String(status),
        summary,
        next,
      ]),
    );
  });

  test("of the command line", () => {
    expect(table("Errors of the command line")).toEqual(
      Object.entries(cliErrors).map(([code, { exitCode, summary, next }]) => [
        `\`${code}\``,
        String(exitCode),
        summary,
        next,
      ]),
    );
  });

  test("of a step", () => {
    expect(table("Errors of a step")).toEqual(
      Object.entries(runtimeErrors).map(([code, { retry, summary, next }]) => [
        `\`${code}\``,
        retry ? "yes" : "no",
        summary,
        next,
      ]),
    );
  });
});
