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

/** A frame in the bundle, as QuickJS has it, and as StarlingMonkey. */
const inBundle = [/^\s*at (?:(.+) )?\(?<input>:(\d+):\d+\)?$/, /^(.*)@(?:.*\/)?source\.js:(\d+):\d+$/];

/** The frames of a stack that are in the step's own files, with the lines of those files. */
export function readableStack(stack: unknown): string {
  if (typeof stack !== "string") return "";
  const lines = sourceLines === "" ? undefined : (JSON.parse(sourceLines) as SourceLines);
  const frames: string[] = [];
  for (const frame of stack.split("\n")) {
    const match = inBundle.map((form) => form.exec(frame)).find((found) => found !== null) ?? null;
    const place = match === null || lines === undefined ? undefined : sourceOf(lines, Number(match[2]));
    if (place === undefined) continue;
    // StarlingMonkey puts before a name where it stands, and "<" for none.
    const name = match?.[1]?.split("/").at(-1) ?? "";
    frames.push(/^(<.*)?$/.test(name) ? `    at ${place}` : `    at ${name} (${place})`);
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
