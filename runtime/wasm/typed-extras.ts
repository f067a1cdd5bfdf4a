import type { Json } from "../json.ts";
import type { StepInput } from "../input.ts";

/**
 * The input of a typed step. The records of millrace:step@0.1.0 have no fields for what only some steps are given, such
 * as the event that was waited for, so that stands among the outputs, as `$async`; no step can have such an id. A field
 * more would be another type, which components that exist do not take.
 */
export function typedStepInput(input: StepInput): StepInput {
  const { event, steps, ctx: context, ...others } = input;
  const { links, ...ctx } = context;
  const extras = { ...others, ...(links === undefined ? {} : { links }) };
  const entries = Object.entries(extras as Readonly<Record<string, Json>>);
  if (entries.length === 0) return input;
  return { event, steps: { ...steps, ...Object.fromEntries(entries.map(([k, v]) => [`$${k}`, v])) }, ctx };
}
