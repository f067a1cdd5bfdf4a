import { SourceMap } from "node:module";
import { isAbsolute, relative, resolve } from "node:path";

/** Which lines of the step's own files the lines of a bundle come from; 1-based. */
export interface SourceLines {
  /** Relative to the project's root, with forward slashes. */
  readonly files: readonly string[];
  /** First line in the bundle, index into `files`, first line in the file, how many lines follow one another. */
  readonly runs: readonly (readonly [bundle: number, file: number, line: number, count: number])[];
}

/** Reads a source map's lines, those of packages and of the guest left out. */
export function sourceLines(
  code: string,
  map: string,
  folders: { readonly root: string; readonly guest: string },
): SourceLines {
  const payload = JSON.parse(map) as { readonly sources: readonly string[] };
  const sourceMap = new SourceMap(payload as unknown as ConstructorParameters<typeof SourceMap>[0]);
  const names = new Map(payload.sources.map((source) => [source, ownName(source, folders)]));
  const files: string[] = [];
  const runs: [number, number, number, number][] = [];
  for (const [index, text] of code.split("\n").entries()) {
    const entry = sourceMap.findEntry(index, text.length);
    if (!("originalSource" in entry) || entry.generatedLine !== index) continue;
    const name = names.get(entry.originalSource);
    if (name === undefined) continue;
    if (!files.includes(name)) files.push(name);
    const file = files.indexOf(name);
    const line = firstLine(sourceMap, index, text, entry.originalSource) ?? entry.originalLine + 1;
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last[1] === file &&
      last[0] + last[3] === index + 1 &&
      last[2] + last[3] === line
    )
      last[3]++;
    else runs.push([index + 1, file, line, 1]);
  }
  return { files, runs };
}

/** Where the first character of a line that is mapped comes from. */
function firstLine(map: SourceMap, index: number, text: string, source: string): number | undefined {
  const entry = map.findEntry(index, text.length - text.trimStart().length);
  if (!("originalSource" in entry) || entry.generatedLine !== index || entry.originalSource !== source)
    return undefined;
  return entry.originalLine + 1;
}

function ownName(
  source: string,
  { root, guest }: { readonly root: string; readonly guest: string },
): string | undefined {
  const file = resolve(root, source);
  const name = relative(root, file).replaceAll("\\", "/");
  // A module that a plugin made has a namespace before its name.
  const foreign =
    /(^|\/)[a-z-]+:/.test(name) ||
    name.startsWith("../") ||
    isAbsolute(name) ||
    file.startsWith(guest) ||
    name.includes("node_modules/");
  return foreign ? undefined : name;
}

/** Where a line of the bundle comes from; undefined when it is not the step's own. */
export function sourceOf(
  { files, runs }: SourceLines,
  bundleLine: number,
): { readonly file: string; readonly line: number } | undefined {
  for (const [bundle, file, line, count] of runs) {
    if (bundleLine >= bundle && bundleLine < bundle + count) {
      return { file: files[file] ?? "", line: line + bundleLine - bundle };
    }
  }
  return undefined;
}
