import type { AttemptResult } from "../../runtime/driver.ts";
import type { Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { StepDefinition } from "../function/definition.ts";
import type { Execution } from "./execution.ts";
import type { HistoryEntry } from "./history.ts";
import { retryAt } from "./retry.ts";

/** An attempt's result, with the events that it emits. */
export type EmittingResult = AttemptResult & { readonly emits?: readonly Event[] };

/** What the history says of an attempt that has ended. */
export function attemptEntry(
  execution: Pick<Execution, "attempt" | "earlier" | "item"> & {
    readonly step: Pick<StepDefinition, "id" | "retry" | "caught">;
  },
  result: EmittingResult,
  times: { readonly startedAt: number; readonly at: number },
  random: Random,
): HistoryEntry {
  const { step, attempt, item } = execution;
  const recorded = {
    step: step.id,
    attempt,
    ...times,
    ...(result.logs.length === 0 ? {} : { logs: result.logs }),
    ...(result.ran === undefined ? {} : { ran: result.ran }),
    ...(result.fuel === undefined ? {} : { fuel: result.fuel }),
    ...(result.completion === undefined ? {} : { completion: result.completion }),
  };
  if (result.ok) {
    const { output, emits = [] } = result;
    const emitted = emits.length === 0 ? {} : { emits };
    if (item === undefined) return { type: "step.completed", ...recorded, output, ...emitted };
    const bytes = Buffer.byteLength(JSON.stringify(output));
    return { type: "item.completed", item: item.index, ...recorded, bytes, output, ...emitted };
  }
  const { failure } = result;
  const counted = attempt - (execution.earlier ?? 0);
  const next = retryAt(step.retry, { failure, attempt: counted, at: times.at }, random);
  const failed = {
    ...recorded,
    failure: { code: failure.code, message: failure.message },
    ...(next === undefined ? {} : { retryAt: next }),
  };
  return item === undefined
    ? { type: "step.failed", ...failed, ...(next === undefined && step.caught && { caught: true }) }
    : { type: "item.failed", item: item.index, ...failed };
}
