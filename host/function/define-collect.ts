import type { CollectDefinition } from "./definition.ts";
import type { FunctionDocument } from "./document.ts";
import type { Expression, ValueExpression } from "./expression.ts";

interface Parts {
  duration(text: string): number;
  condition(source: string): Expression;
  value(source: string): ValueExpression;
}

/** How the runs of a function collect events before they begin; undefined where they do not. */
export function defineCollect(
  { batch, debounce }: Pick<FunctionDocument, "batch" | "debounce">,
  { duration, condition, value }: Parts,
): CollectDefinition | undefined {
  const keyed = ({ key }: { readonly key?: string }) => (key === undefined ? {} : { key: value(key) });
  if (batch !== undefined) {
    return {
      by: "batch",
      maxSize: batch.maxSize,
      timeoutMs: duration(batch.timeout),
      ...keyed(batch),
      ...(batch.if === undefined ? {} : { if: condition(batch.if) }),
    };
  }
  if (debounce === undefined) return undefined;
  return {
    by: "debounce",
    periodMs: duration(debounce.period),
    ...keyed(debounce),
    ...(debounce.timeout === undefined ? {} : { timeoutMs: duration(debounce.timeout) }),
  };
}
