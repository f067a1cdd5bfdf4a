import type { Event } from "../event/event.ts";
import { eventScope } from "../run/match.ts";
import type { Definition } from "../function/definition.ts";

/** Why no trigger of the function takes the event, a sentence a trigger; undefined when one takes it. */
export function refusals(definition: Definition, event: Event): readonly string[] | undefined {
  const reasons: string[] = [];
  for (const trigger of definition.triggers) {
    if (trigger.event !== event.name) {
      reasons.push(`a trigger wants the event ${trigger.event}, and this one is ${event.name}`);
      continue;
    }
    if (trigger.expression === undefined) return undefined;
    const { source } = trigger.expression;
    const evaluation = trigger.expression.evaluate(eventScope(event));
    if (evaluation.kind === "error") reasons.push(`${source} can't be evaluated: ${evaluation.message}`);
    else if (evaluation.kind === "missing") reasons.push(`${source} counts as false: ${evaluation.message}`);
    else if (evaluation.value) return undefined;
    else reasons.push(`${source} is false`);
  }
  return reasons;
}
