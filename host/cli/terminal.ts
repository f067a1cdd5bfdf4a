import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Where a command writes: results on stdout, what goes with them on stderr. */
export interface Terminal {
  /** The answer is for a program: JSON on stdout and nothing else. */
  readonly json: boolean;
  /** Stacks and details are wanted. */
  readonly verbose: boolean;
  /** A person reads stdout. */
  readonly interactive: boolean;
  /** Characters that a line of stdout may have. */
  readonly columns: number;
  /** Aborted once nobody reads stdout any more. */
  readonly closed: AbortSignal;
  /** A line on stdout. */
  print(line: string): void;
  /** One JSON value as a line on stdout. */
  printJson(value: unknown): void;
  /** A line on stderr. */
  note(line: string): void;
  /** A line on stderr that tells how it goes: not wanted by a program. */
  progress(line: string): void;
  /** Colours for stdout: none where NO_COLOR says so, or no terminal shows them. */
  out(format: Format, text: string): string;
  /** Colours for stderr. */
  err(format: Format, text: string): string;
  /** Resolves once all that was written is with the operating system. */
  flush(): Promise<void>;
}

const columnsOfFiles = 120;

export function createTerminal(options: { readonly json: boolean; readonly verbose: boolean }): Terminal {
  const { stdout, stderr } = process;
  const closed = new AbortController();
  // A reader that goes away (`millrace runs ls | head -1`) is no failure: the rest is simply not wanted.
  const gone = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
    closed.abort();
  };
  stdout.on("error", gone);
  stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const print = (line: string): void => {
    if (!closed.signal.aborted) stdout.write(`${line}\n`);
  };
  const note = (line: string): void => void stderr.write(`${line}\n`);
  return {
    ...options,
    interactive: stdout.isTTY && !options.json,
    get columns() {
      return stdout.isTTY ? stdout.columns : columnsOfFiles;
    },
    closed: closed.signal,
    print,
    printJson: (value) => print(JSON.stringify(value)),
    note,
    progress(line) {
      if (!options.json) note(line);
    },
    out: (format, text) => styleText(format, text, { stream: stdout }),
    err: (format, text) => styleText(format, text, { stream: stderr }),
    async flush() {
      await Promise.all([drained(stdout), drained(stderr)]);
    },
  };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writable) stream.write("", () => resolve());
    else resolve();
  });
}
