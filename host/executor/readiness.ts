import type { Driver, RuntimeName, StepFailure } from "../../runtime/driver.ts";
import { runtimeErrors, type RuntimeErrorCode } from "../../runtime/errors.ts";
import type { Problem } from "../errors.ts";
import { define } from "../function/define.ts";
import { programsOf, type Definition, type ProgramStep } from "../function/definition.ts";
import type { FunctionVersion } from "../function/version.ts";
import { pointerStep } from "../json-pointer.ts";
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

/** What says that a component can never run, wherever and however often it is tried. */
const hopeless: readonly RuntimeErrorCode[] = [
  "ERR_COMPONENT_INVALID",
  "ERR_COMPONENT_EXPORT",
  "ERR_COMPONENT_IMPORT",
];

/** Has the components of versions compiled before they are active; resolves to the problems of those that can't run. */
export async function compileComponents(
  versions: readonly FunctionVersion[],
  drivers: ReadonlyMap<RuntimeName, Driver>,
): Promise<readonly Problem[]> {
  const driver = drivers.get("wasm");
  if (driver === undefined) return [];
  const problem = async (at: number, { id, program, limits }: ProgramStep): Promise<readonly Problem[]> => {
    const failure = await driver.prepare(program, limits);
    if (failure === undefined || !hopeless.includes(failure.code)) return [];
    const message = `step ${id} of ${versions[at]?.functionId ?? ""} can't run: ${failure.message}`;
    return [{ code: failure.code, message, pointer: `/${at}/components${pointerStep(id)}` }];
  };
  const problems = versions.flatMap((version, at) =>
    programsOf(define(version))
      .filter(({ program }) => program.runtime.type === "wasm")
      .map((step) => problem(at, step)),
  );
  return (await Promise.all(problems)).flat();
}

/** The failure of a step whose runtime this host does not have. */
export function noDriver(runtime: RuntimeName): StepFailure {
  return {
    code: "ERR_RUNTIME_UNAVAILABLE",
    message: `This host has no driver for runtime ${runtime}.`,
    retry: runtimeErrors.ERR_RUNTIME_UNAVAILABLE.retry,
  };
}
