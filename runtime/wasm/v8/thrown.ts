import type { RuntimeErrorCode } from "../../errors.ts";
import type { AttemptEnd } from "./protocol.ts";

/** Tells what ended an instance that did not end by itself. */
export function errorEnd(thrown: unknown, starved: string | undefined): AttemptEnd {
  if (!(thrown instanceof Error))
    return failed("ERR_STEP_TRAP", "The step threw an exception that it did not catch.");
  if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) {
    return failed(
      "ERR_STEP_STACK",
      `The step's recursion went deeper than the engine's stack${where(thrown)}.`,
    );
  }
  if (starved !== undefined)
    return failed(
      "ERR_STEP_MEMORY",
      `The step was refused more memory (${starved}), then trapped: ${thrown.message}${where(thrown)}.`,
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

function failed(code: RuntimeErrorCode, message: string, tainted = true): AttemptEnd {
  return { ending: { kind: "failed", code, message }, tainted };
}

/** The innermost functions of the guest, where its binary names them. */
function where({ stack = "" }: Error): string {
  const frames = [...stack.matchAll(/^\s+at (\S.*?) \(wasm:\/\//gm)].map(([, name = ""]) => name);
  // A frame is "module.function"; without names it is only the module's digest.
  const names = frames.filter((name) => !/^[\da-f]+$/.test(name)).slice(0, 4);
  return names.length === 0 ? "" : ` (in ${names.join(" ← ")})`;
}
