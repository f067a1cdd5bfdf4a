import { describeError, errorLine, inspect } from "./inspect.ts";

/** `failure` of millrace:step/types. */
export type Failure =
  | { readonly tag: "retry"; readonly val: { readonly message: string; readonly after: number | null } }
  | { readonly tag: "fatal"; readonly val: string };

/** A failure that a step threw in the world's own form. */
export class WorldFailure {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

const units: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** Milliseconds of `retryAfter`: a number of them, or text like "10s"; undefined when it is neither. */
function milliseconds(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;
  if (typeof value !== "string") return undefined;
  let total = 0;
  const rest = value.trim().replace(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g, (_, amount: string, unit: string) => {
    total += Number(amount) * (units[unit] ?? 1);
    return "";
  });
  return rest === "" && value.trim() !== "" ? Math.round(total) : undefined;
}

/** APIs that steps call by habit, and what there is instead. */
const hints: Readonly<Record<string, string>> = {
  Buffer: "Use Uint8Array, TextEncoder and TextDecoder.",
  require: "Use import: the builder bundles what it names.",
  module: "Use export default.",
  exports: "Use export default.",
  __dirname: "A step has no folder of its own.",
  __filename: "A step has no folder of its own.",
  Intl: "Format with a package that does not need Intl, or run the step on the runtime docker.",
  WebSocket: "A step has no sockets; it has fetch, with the capability `http`.",
  XMLHttpRequest: "Use fetch, with the capability `http`.",
  window: "A step is not a browser: use globalThis.",
  document: "A step is not a browser.",
};

/** The name of a missing global's hint, for the log. */
function hintFor(error: unknown): string | undefined {
  if (!(error instanceof ReferenceError)) return undefined;
  const name = /^'?(\w+)'? is not defined/.exec(error.message)?.[1];
  return name !== undefined && Object.hasOwn(hints, name) ? hints[name] : undefined;
}

/** Whether an error says of itself that no attempt can succeed. */
export function isFatal(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { fatal?: unknown }).fatal === true;
}

/** What a thrown value means: `fatal: true` no further attempt, `retryAfter` when the next one is due. */
export function failureOf(error: unknown, warn: (message: string) => void): Failure {
  const message = messageOf(error);
  if (isFatal(error)) return { tag: "fatal", val: message };
  const wish =
    typeof error === "object" && error !== null ? (error as { retryAfter?: unknown }).retryAfter : undefined;
  const after = wish === undefined || wish === null ? undefined : milliseconds(wish);
  if (wish !== undefined && wish !== null && after === undefined) {
    warn(
      `retryAfter must be milliseconds or text like "10s", and is ${JSON.stringify(wish)}: the retry policy decides.`,
    );
  }
  return { tag: "retry", val: { message, after: after ?? null } };
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? plainMessage(error) : inspect(error);
  return text.toWellFormed();
}

function plainMessage(error: Error): string {
  return error.name === "Error" && error.message !== "" ? error.message : errorLine(error);
}

/** An error for the log: its stack, its causes, and a hint when it has one. */
export function logText(error: unknown): string {
  const hint = hintFor(error);
  return hint === undefined ? describeError(error) : `${describeError(error)}\n${hint}`;
}
