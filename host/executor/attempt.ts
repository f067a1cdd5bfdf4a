import type { Attempt, AttemptResult, Driver, RuntimeName } from "../../runtime/driver.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import type { Event } from "../event/event.ts";
import type { EmittingResult } from "../run/attempt-entry.ts";
import { emissionOf } from "../run/emission.ts";
import type { Execution } from "../run/execution.ts";
import { placeOf } from "../run/place.ts";
import type { RunView } from "../run/run-view.ts";
import type { RunHeader } from "../state/state.ts";
import type { Outbox } from "./outbox.ts";
import { noDriver } from "./readiness.ts";

/** Has the step's driver run it. A driver that throws, or is not there, becomes a failure. */
export async function runAttempt(
  drivers: ReadonlyMap<RuntimeName, Driver>,
  execution: Execution,
  given: Omit<Attempt, "program" | "limits">,
): Promise<AttemptResult> {
  const { program, limits } = execution.step;
  const driver = drivers.get(program.runtime.type);
  if (driver === undefined) return { ok: false, failure: noDriver(program.runtime.type), logs: [] };
  try {
    return await driver.execute({ ...given, program, limits });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { retry } = runtimeErrors.ERR_ENGINE_BROKEN;
    return { ok: false, failure: { code: "ERR_ENGINE_BROKEN", message, retry }, logs: [] };
  }
}

/** Takes what a step emits off its output; what can't be published is the attempt's failure. */
export function emittedResult(
  result: AttemptResult,
  execution: Execution,
  run: {
    readonly header: RunHeader;
    readonly view: RunView & { readonly event: Event };
    readonly at: number;
  },
  check: Outbox["check"],
): EmittingResult {
  const { id, program } = execution.step;
  const allowed = program.capabilities?.emit;
  if (!result.ok || allowed === undefined) return result;
  const { header, view, at } = run;
  const { id: runId, functionId } = header;
  const { event, startedAt } = view;
  const emission = emissionOf(result.output, {
    runId,
    functionId,
    step: placeOf(id, execution.item?.index),
    event,
    startedAt,
    at,
    allowed,
    check,
  });
  if (emission.ok) return { ...result, output: emission.output, emits: emission.events };
  const { output: _, ok: __, ...traces } = result;
  return { ...traces, ok: false, failure: emission.failure };
}
