/** What the builder adds to the end of the bundle: which lines of the step's files its lines come from. */
interface SourceLines {
  readonly files: readonly string[];
  /** Runs of lines: first line in the bundle, index into `files`, first line in the file, how many. */
  readonly runs: readonly (readonly [bundle: number, file: number, line: number, count: number])[];
}

let sourceLines = "";

/** Takes the table of the step's lines as JSON, which is read when a stack is. */
export function setSourceLines(json: string): void {
  sourceLines = json;
}

/** The frames of a QuickJS stack that are in the step's own files, with the lines of those files. `<input>` is the bundle. */
export function readableStack(stack: unknown): string {
  if (typeof stack !== "string") return "";
  const lines = sourceLines === "" ? undefined : (JSON.parse(sourceLines) as SourceLines);
  const frames: string[] = [];
  for (const frame of stack.split("\n")) {
    const match = /^\s*at (?:(.+) )?\(?<input>:(\d+):\d+\)?$/.exec(frame);
    const place = match === null || lines === undefined ? undefined : sourceOf(lines, Number(match[2]));
    if (place === undefined) continue;
    const name = match?.[1] ?? "<anonymous>";
    frames.push(name === "<anonymous>" ? `    at ${place}` : `    at ${name} (${place})`);
  }
  return frames.join("\n");
}

function sourceOf({ files, runs }: SourceLines, bundleLine: number): string | undefined {
  for (const [bundle, file, line, count] of runs) {
    if (bundleLine >= bundle && bundleLine < bundle + count)
      return `${files[file]}:${line + bundleLine - bundle}`;
  }
  return undefined;
}
