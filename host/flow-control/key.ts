import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import { digestJson } from "../function/digest.ts";
import type { ValueEvaluation, ValueExpression } from "../function/expression.ts";
import { eventScope } from "../run/match.ts";

/** What an event counts as for one control of a function. */
export interface Key {
  /** Where the control's document is. */
  readonly place: string;
  /** ` with key "u1"`; empty where there is no key. */
  readonly text: string;
}

/** Characters of a key that people are shown. */
const longestShown = 100;

/** The value that an expression gives of an event: null where it gives none, which is told of if that is an error. */
export function valueOf(
  expression: ValueExpression,
  event: Event,
  onError: (source: string, evaluation: Exclude<ValueEvaluation, { readonly kind: "value" }>) => void,
): Json {
  const evaluation = expression.value(eventScope(event));
  if (evaluation.kind === "value") return evaluation.value;
  if (evaluation.kind === "error") onError(expression.source, evaluation);
  return null;
}

/** `owner`: what the values of one key are counted in, and no other's. */
export function keyOf(owner: readonly string[], value: Json | undefined): Key {
  const place = digestJson([...owner, ...(value === undefined ? [] : [value])]).slice(0, 32);
  if (value === undefined) return { place, text: "" };
  const shown = JSON.stringify(value);
  const short = shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
  return { place, text: ` with key ${short}` };
}
