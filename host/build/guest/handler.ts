import type { StepModule } from "./evaluate.ts";
import { type Failure, WorldFailure } from "./failure.ts";
import { inspect } from "./inspect.ts";

type Run = (input: unknown) => unknown;

/** What is wrong with the exports of a step that exports the world's `handler` itself. */
export function checkHandler(module: StepModule): string | undefined {
  return runOf(module) === undefined
    ? "the export `handler` must be an object with a function `run`"
    : undefined;
}

/** Calls `handler.run` with the records as they are; it returns JSON text, and may throw `failure` of the world. */
export async function callHandler(module: StepModule, input: unknown): Promise<string> {
  let output: unknown;
  try {
    output = await runOf(module)?.(input);
  } catch (error) {
    const failure = worldFailure(error);
    throw failure === undefined ? error : new WorldFailure(failure);
  }
  if (typeof output === "string") return output.toWellFormed();
  const message = `\`run\` must return JSON text, and returned ${inspect(output)}. Use JSON.stringify, or a default export.`;
  throw Object.assign(new TypeError(message), { fatal: true });
}

function runOf({ handler }: StepModule): Run | undefined {
  const run = (handler as { run?: unknown } | null | undefined)?.run;
  return typeof run === "function" ? (input) => (run as Run).call(handler, input) : undefined;
}

/** A thrown `failure` of the world; undefined for anything else. */
function worldFailure(error: unknown): Failure | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { tag, val } = error as { tag?: unknown; val?: unknown };
  if (tag === "fatal" && typeof val === "string") return { tag, val: val.toWellFormed() };
  if (tag !== "retry" || typeof val !== "object" || val === null) return undefined;
  const { message, after } = val as { message?: unknown; after?: unknown };
  const ms = after === undefined || after === null ? null : Math.max(0, Math.round(Number(after)));
  return { tag, val: { message: String(message).toWellFormed(), after: Number.isFinite(ms) ? ms : null } };
}
