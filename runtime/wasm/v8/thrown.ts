import type { RuntimeErrorCode } from "../../errors.ts";
import type { StepMode } from "../component.ts";
import type { WorkerEnding } from "./protocol.ts";

/** Tells what came out of a guest: a failure that it reported, or the end of an instance that went wrong. */
export function errorEnding(
  thrown: unknown,
  mode: StepMode,
  starved: boolean,
  exited: (status: number) => WorkerEnding,
): { readonly ending: WorkerEnding; readonly tainted: boolean } {
  // Transpiled components throw the error case of a result as it is; run() has none to throw.
  if (!(thrown instanceof Error)) {
    return { ending: mode === "typed" ? typedFailure(thrown) : exited(1), tainted: false };
  }
  const failed = (code: RuntimeErrorCode, message: string, tainted = true) =>
    ({ ending: { kind: "failed", code, message }, tainted }) as const;
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
    return failed(
      "ERR_STEP_STACK",
      `The step's recursion went deeper than the engine's stack${where(thrown)}.`,
    );
  }
  if (starved)
    return failed(
      "ERR_STEP_MEMORY",
      `The step was refused more memory, then trapped: ${thrown.message}${where(thrown)}.`,
    );
  if (thrown instanceof RangeError && /memory/i.test(thrown.message)) {
    return failed("ERR_STEP_MEMORY", `The engine could not provide the step's memory: ${thrown.message}.`);
  }
  if (thrown.name === "LinkError") {
    return failed(
      "ERR_COMPONENT_IMPORT",
      `The component imports what this host does not have: ${thrown.message}.`,
    );
  }
  // A trap leaves nothing behind but its instance; anything else that is thrown is not expected.
  const clean = thrown.name === "RuntimeError";
  return failed("ERR_STEP_TRAP", `The step trapped: ${thrown.message}${where(thrown)}.`, !clean);
}

/** The innermost functions of the guest, where its binary names them. */
function where({ stack = "" }: Error): string {
  const frames = [...stack.matchAll(/^\s+at (\S.*?) \(wasm:\/\//gm)].map(([, name = ""]) => name);
  // A frame is "module.function"; without names it is only the module's digest.
  const names = frames.filter((name) => !/^[\da-f]+$/.test(name)).slice(0, 4);
  return names.length === 0 ? "" : ` (in ${names.join(" ← ")})`;
}

/** The error case of the typed export. */
function typedFailure(thrown: unknown): WorkerEnding {
  const variant = thrown as
    | { readonly tag: "retry"; readonly val: { readonly message: string; readonly after?: bigint } }
    | { readonly tag: "fatal"; readonly val: string };
  if (variant.tag === "fatal") return { kind: "fatal", message: variant.val };
  const { message, after } = variant.val;
  return after === undefined
    ? { kind: "retry", message }
    : { kind: "retry", message, afterMs: Number(after) };
}
