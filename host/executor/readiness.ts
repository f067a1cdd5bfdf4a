import type { Driver, RuntimeName, StepFailure } from "../../runtime/driver.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import { programsOf, type Definition } from "../function/definition.ts";
import type { Notices } from "./notices.ts";

/**
 * Has the drivers get the programs of a function ready, so that the first event neither pays for it nor is the one
 * that finds out what can't run: that is noticed here, and each of its attempts fails with the same code.
 */
export async function prepareSteps(
  definition: Definition,
  drivers: ReadonlyMap<RuntimeName, Driver>,
  notices: Pick<Notices, "add">,
): Promise<void> {
  for (const { id, program, limits } of programsOf(definition)) {
    const driver = drivers.get(program.runtime.type);
    const failure =
      driver === undefined ? noDriver(program.runtime.type) : await driver.prepare(program, limits);
    if (failure === undefined || failure.code === "ERR_STEP_CANCELLED") continue;
    const message = `Step ${id} can't run: ${failure.message}`;
    notices.add({ level: "error", code: failure.code, functionId: definition.id, message });
  }
}

/** The failure of a step whose runtime this host does not have. */
export function noDriver(runtime: RuntimeName): StepFailure {
  return {
    code: "ERR_RUNTIME_UNAVAILABLE",
    message: `This host has no driver for runtime ${runtime}.`,
    retry: runtimeErrors.ERR_RUNTIME_UNAVAILABLE.retry,
  };
}
