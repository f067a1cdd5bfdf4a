import type { Json } from "../json.ts";
import type { StepInput } from "../input.ts";

/** What the event that was waited for is called among the outputs of earlier steps; no step can have this id. */
const awaitedStep = "$async";

/**
 * The input of a typed step: the records of millrace:step@0.1.0 have no field for the event that was waited for, so it
 * stands among the outputs. A field more would be another type, which components that exist do not take.
 */
export function typedStepInput(input: StepInput): StepInput {
  const { async, ...rest } = input;
  if (async === undefined) return input;
  return { ...rest, steps: { ...rest.steps, [awaitedStep]: async as unknown as Json } };
}
