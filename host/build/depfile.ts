import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

/** The files that a compiler's list for make names, absolute; none where there is no list. */
export async function readDependencies(file: string, cwd: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const paths: string[] = [];
  for (const rule of text.replaceAll(/\\\r?\n/g, " ").split("\n")) {
    const at = rule.search(/:\s/);
    if (at === -1) continue;
    const names = rule.slice(at + 1).match(/(?:\\ |\S)+/g) ?? [];
    paths.push(...names.map((name) => resolve(cwd, name.replaceAll("\\ ", " "))));
  }
  return [...new Set(paths)];
}
