import type { ErrorRow } from "../../runtime/error-row.ts";
import { runtimeErrors, type RuntimeErrorCode } from "../../runtime/errors.ts";
import { MillraceError, type Problem } from "../errors.ts";

/** What the command's exit code says. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  input: 2,
  notTriggered: 3,
  unavailable: 4,
} as const;

/** The exit codes in words, for the help. */
export const exitCodeHelp = `Exit codes:
  0    done
  1    failed: a run, a check, or Millrace itself
  2    bad input: the command line, a document, an event
  3    \`run\` only: no trigger of the function takes the event
  4    unavailable: no host answers, the port or the store is in use, or the engine named does not load
  130  interrupted: Ctrl-C before the work was done`;

/** A row of the command line's table: also the exit code. */
interface CliErrorRow extends ErrorRow {
  readonly exitCode: number;
}

/** Every error of the command line itself, by its stable code. */
export const cliErrors = {
  ERR_NODE_VERSION: {
    exitCode: exitCodes.input,
    summary: "The command was started with a Node older than 24.",
    next: "Install a newer Node, or put one beside your project: npm i -D node@26",
  },
  ERR_USAGE: {
    exitCode: exitCodes.input,
    summary: "The command line is not as it must be: an unknown command or option, a missing or wrong value.",
    next: "`millrace <command> --help` shows what the command takes.",
  },
  ERR_INPUT_FILE: {
    exitCode: exitCodes.input,
    summary: "A file or a folder that the command line or a setting names can't be used.",
    next: "Check the path.",
  },
  ERR_INPUT_JSON: {
    exitCode: exitCodes.input,
    summary: "What was given on the command line, in a file or on stdin is not JSON in UTF-8.",
    next: "Mend the text at the place given.",
  },
  ERR_CONFIG_INVALID: {
    exitCode: exitCodes.input,
    summary: "A setting in the configuration file or in the environment can't be used.",
    next: "Mend the places listed; `millrace start --print-config` shows what is in force, and where it came from.",
  },
  ERR_PROJECT_EMPTY: {
    exitCode: exitCodes.input,
    summary: "There is no function document in the folder, below it or above it.",
    next: "Make a project with `millrace init`, or give the folder of one.",
  },
  ERR_PROJECT_INVALID: {
    exitCode: exitCodes.input,
    summary: "The project's documents, schemas or steps have problems; each is listed with its own code.",
    next: "Mend the places listed.",
  },
  ERR_PROJECT_FUNCTION: {
    exitCode: exitCodes.input,
    summary: "The project has no function of that id.",
    next: "Use one of the ids listed, or give the project's folder with --project.",
  },
  ERR_NOT_TRIGGERED: {
    exitCode: exitCodes.notTriggered,
    summary: "No trigger of the function takes the event, so there is nothing to run.",
    next: "Change the event, or the trigger's expression.",
  },
  ERR_PORT_IN_USE: {
    exitCode: exitCodes.unavailable,
    summary: "Another process listens on the port.",
    next: "Stop the other process, or choose another port with --port.",
  },
  ERR_HOST_UNREACHABLE: {
    exitCode: exitCodes.unavailable,
    summary: "No host answers at the URL.",
    next: "Start one with `millrace dev`, or name another with --url or MILLRACE_URL.",
  },
  ERR_HOST_ANSWER: {
    exitCode: exitCodes.failed,
    summary: "What answers at the URL is no Millrace host.",
    next: "Check the URL given with --url or MILLRACE_URL.",
  },
  ERR_PUSH_CODE: {
    exitCode: exitCodes.failed,
    summary: "The code of a step could not be published where it runs; no function was deployed.",
    next: "Do as the problems say, and push again.",
  },
  ERR_STOP_TIMEOUT: {
    exitCode: exitCodes.failed,
    summary: "A host that was told to stop could not within its grace and 15 seconds more.",
    next: "Look whether its store answers. What it held is taken up by another host, or at the next start.",
  },
  ERR_FILE_SYSTEM: {
    exitCode: exitCodes.failed,
    summary: "The operating system refused to read or write a file.",
    next: "Check the path's permissions and the disk's free space.",
  },
  ERR_UNEXPECTED: {
    exitCode: exitCodes.failed,
    summary: "Something failed that should not have: a bug in Millrace.",
    next: "Run it again with --verbose and report the stack.",
  },
} as const satisfies Record<string, CliErrorRow>;

/** A stable code of the command line's table. */
export type CliErrorCode = keyof typeof cliErrors;

/** An error with a code of the command line's table. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  /** What the user does next; the table's own sentence unless one fits better. */
  readonly next: string;
  readonly problems: readonly Problem[];

  constructor(
    code: CliErrorCode,
    message: string,
    options: {
      readonly next?: string;
      readonly problems?: readonly Problem[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.code = code;
    this.next = options.next ?? cliErrors[code].next;
    this.problems = options.problems ?? [];
  }
}

/** A host's answer that is not a success, told with the host's own code. */
export class HostRefusal extends Error {
  readonly code: string;
  readonly next: string;
  readonly problems: readonly Problem[];
  /** Of the HTTP answer. */
  readonly status: number;

  constructor(refusal: Pick<HostRefusal, "code" | "message" | "next" | "problems" | "status">) {
    super(refusal.message);
    this.name = "HostRefusal";
    this.code = refusal.code;
    this.next = refusal.next;
    this.problems = refusal.problems;
    this.status = refusal.status;
  }
}

/** Any error as the user sees it. */
export interface Reported {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly problems: readonly Problem[];
  readonly exitCode: number;
  readonly stack?: string;
}

/** Puts any thrown value into the user's terms. */
export function describeError(error: unknown): Reported {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: withCauses(error) } : {};
  if (error instanceof CliError) {
    const { code, message, next, problems } = error;
    return { code, message, next, problems, exitCode: cliErrors[code].exitCode, ...stack };
  }
  if (error instanceof MillraceError || error instanceof HostRefusal) {
    const { code, message, problems, status } = error;
    const next = (error instanceof MillraceError ? nextHere(code) : undefined) ?? error.next;
    return { code, message, next, problems, exitCode: hostExitCode(code, status), ...stack };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isRuntimeError(error)) {
    const { code } = error;
    return {
      code,
      message,
      next: runtimeErrors[code].next,
      problems: [],
      exitCode: exitCodes.unavailable,
      ...stack,
    };
  }
  const code = isSystemError(error) ? "ERR_FILE_SYSTEM" : "ERR_UNEXPECTED";
  const { next, exitCode } = cliErrors[code];
  return { code, message, next, problems: [], exitCode, ...stack };
}

/** What to do where the table's words are for whoever sent a request, and the host is this very process. */
function nextHere(code: string): string | undefined {
  return code === "ERR_STORE_UNAVAILABLE"
    ? "Check the store's URL and that it is up: `millrace doctor --broker <url>` looks at one."
    : undefined;
}

/** What a command was told to use, and can't. */
const wrongSettings: ReadonlySet<string> = new Set([
  "ERR_STORE_URL",
  "ERR_RUNTIME_UNKNOWN",
  "ERR_API_OPEN",
  "ERR_API_OPTIONS",
  "ERR_API_LISTEN",
]);

function hostExitCode(code: string, status: number): number {
  if (wrongSettings.has(code) || (status >= 400 && status < 500)) return exitCodes.input;
  if (code === "ERR_STORE_LOCKED" || status > 500) return exitCodes.unavailable;
  return exitCodes.failed;
}

/** What an engine or a driver throws that can't be had here has a code of the runtime's table. */
function isRuntimeError(error: unknown): error is Error & { readonly code: RuntimeErrorCode } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    Object.hasOwn(runtimeErrors, error.code)
  );
}

/** Errors of system calls have the call's name. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function withCauses(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${withCauses(error.cause)}` : own;
}
