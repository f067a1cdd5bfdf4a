import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { cliErrors, exitCodeHelp } from "../host/cli/errors.ts";
import { hostErrors } from "../host/errors.ts";
import { runtimeErrors } from "../runtime/errors.ts";
import { headings, pages, table } from "./documentation.ts";

test("the exit codes are those of the help", () => {
  const rows = pages
    .get("docs/commands.md")
    ?.split("\n")
    .flatMap((line) => /^\| (\d+) +\| (.*?) +\|$/.exec(line)?.slice(1).join(" ") ?? []);
  const told = exitCodeHelp.split("\n").slice(1);
  expect(rows).toEqual(told.map((line) => line.trim().replace(/ +/, " ")));
});

describe("the tables of errors say what the code says", () => {
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

/** The anchor of a heading, as GitHub makes it. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

const anchors = (page: string): readonly string[] => headings(page).map(({ title }) => anchor(title));

test.each([...pages])("every link of %s leads somewhere", (path, text) => {
  const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = "", fragment] = target.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(import.meta.dirname, "..", to))) return true;
      return fragment !== undefined && !anchors(pages.get(to) ?? "").includes(fragment);
    });
  expect(broken).toEqual([]);
});

test("every page is linked from the README, and no page has two headings of one anchor", () => {
  const readme = pages.get("README.md") ?? "";
  for (const [path, text] of pages) {
    if (path !== "README.md") expect(readme).toContain(`](${path})`);
    expect(new Set(anchors(text)).size, path).toBe(anchors(text).length);
  }
});
