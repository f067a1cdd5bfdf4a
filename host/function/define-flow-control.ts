import type { FunctionDocument } from "./document.ts";
import type { ValueExpression } from "./expression.ts";
import type { FlowControl, Rate } from "./flow-control.ts";

interface FlowControlTools {
  duration(text: string): number;
  /** Compiles an expression that gives a value. Throws where it is wrong. */
  value(source: string): ValueExpression;
}

/** Compiles what a document says of flow control; undefined where that is nothing. */
export function defineFlowControl(
  { idempotency, singleton, rateLimit, throttle }: FunctionDocument,
  { duration, value }: FlowControlTools,
): FlowControl | undefined {
  const keyOf = ({ key }: { readonly key?: string }): { readonly key?: ValueExpression } =>
    key === undefined ? {} : { key: value(key) };
  const rate = (of: NonNullable<typeof rateLimit>): Rate => ({
    limit: of.limit,
    periodMs: duration(of.period),
    ...keyOf(of),
  });
  const control: FlowControl = {
    ...(idempotency && {
      idempotency: { key: value(idempotency.key), periodMs: duration(idempotency.period) },
    }),
    ...(singleton && { singleton: { mode: singleton.mode, ...keyOf(singleton) } }),
    ...(rateLimit && { rateLimit: rate(rateLimit) }),
    ...(throttle && { throttle: { ...rate(throttle), burst: throttle.burst ?? 1 } }),
  };
  return Object.keys(control).length === 0 ? undefined : control;
}
