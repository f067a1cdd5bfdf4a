import type { Failure } from "./failure.ts";
import { inspect } from "./inspect.ts";
import { phase } from "./phase.ts";
import { loadAtBuild, type StepModule } from "./step-module.ts";
import { installTyped, runTyped, WorldFailure } from "./typed-step.ts";

type Run = (input: unknown) => unknown;

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

const missing = "the export `handler` must be an object with a function `run`";

installTyped();
const built = loadAtBuild((module) => (runOf(module) === undefined ? missing : undefined));
phase.building = false;

/** millrace:step/handler for a step that exports it itself: records in, JSON text out, `failure` thrown. */
export const handler = {
  run: (input: unknown): string =>
    runTyped(built, async (module) => {
      const run = runOf(module);
      if (run === undefined) throw Object.assign(new TypeError(missing), { fatal: true });
      let output: unknown;
      try {
        output = await run(input);
      } catch (error) {
        const failure = worldFailure(error);
        throw failure === undefined ? error : new WorldFailure(failure);
      }
      if (typeof output === "string") return output.toWellFormed();
      const message = `\`run\` must return JSON text, and returned ${inspect(output)}. Use JSON.stringify, or a default export.`;
      throw Object.assign(new TypeError(message), { fatal: true });
    }) as string,
};
