import type { Event } from "../event/event.ts";
import { invokeEventName } from "../function/define-invoke.ts";
import type { Definition } from "../function/definition.ts";
import type { Evaluation, Scope } from "../function/expression.ts";

/** What an expression sees of an event; edges add `steps` and `output`. */
export function eventScope(event: Event): Scope {
  return { event, data: event.data, user: event.user, ts: event.ts, name: event.name };
}

/** Whether one of the function's triggers takes the event; a faulty expression counts as false and is told of. */
export function matches(
  definition: Definition,
  event: Event,
  onError: (source: string, evaluation: Evaluation) => void,
): boolean {
  if (event.name === invokeEventName(definition.id)) return true;
  for (const trigger of definition.triggers) {
    if (trigger.event !== event.name) continue;
    if (trigger.expression === undefined) return true;
    const evaluation = trigger.expression.evaluate(eventScope(event));
    if (evaluation.kind === "value" && evaluation.value) return true;
    if (evaluation.kind === "error") onError(trigger.expression.source, evaluation);
  }
  return false;
}

/** Whether an event is collected with others; it may say that it is not to be. */
export function joins(
  { id, collects }: Definition,
  event: Event,
  notices: { expressionError(functionId: string, source: string, evaluation: Evaluation): void },
): boolean {
  const condition = collects?.by === "batch" ? collects.if : undefined;
  if (collects === undefined || condition === undefined) return collects !== undefined;
  const evaluation = condition.evaluate(eventScope(event));
  if (evaluation.kind === "error") notices.expressionError(id, condition.source, evaluation);
  return evaluation.kind === "value" && evaluation.value;
}

/** The user who caused an event: `user.id`, or `user` itself where that is a string. */
export function userId(event: Event): string | undefined {
  const { user } = event;
  if (typeof user === "string") return user;
  if (typeof user !== "object" || user === null || Array.isArray(user)) return undefined;
  const id = (user as { readonly id?: unknown }).id;
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}
