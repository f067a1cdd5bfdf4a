import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));

/** The pages that users read, by their path from the root: the README, and those that it leads to. */
export const pages: ReadonlyMap<string, string> = new Map(
  ["README.md", ...docs.map((name) => `docs/${name}`)].map((path) => [
    path,
    readFileSync(join(root, path), "utf8"),
  ]),
);

/** All of it. */
export const documentation = [...pages.values()].join("\n");

/** A heading outside of code. */
export interface Heading {
  readonly level: number;
  readonly title: string;
  /** The index of its line. */
  readonly at: number;
}

/** The headings of a page, in order. */
export function headings(page: string): readonly Heading[] {
  const found: Heading[] = [];
  let code = false;
  for (const [at, line] of page.split("\n").entries()) {
    if (line.startsWith("```")) code = !code;
    const [, marks, title] = (!code && /^(#+) (.+)$/.exec(line)) || [];
    if (marks !== undefined && title !== undefined) found.push({ level: marks.length, title, at });
  }
  return found;
}

/** What stands under a heading, on whichever page, up to the next one of its level or above; throws if there is none. */
export function section(title: string): string {
  for (const page of pages.values()) {
    const all = headings(page);
    const index = all.findIndex((heading) => heading.title === title);
    const heading = all[index];
    if (heading === undefined) continue;
    const end = all.slice(index + 1).find(({ level }) => level <= heading.level)?.at;
    return page
      .split("\n")
      .slice(heading.at + 1, end)
      .join("\n");
  }
  throw new Error(`no page has the heading ${title}`);
}

/** The rows of the first table under a heading, cells trimmed, without its head. */
export function table(title: string): string[][] {
  return section(title)
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
