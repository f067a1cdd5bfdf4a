import type { ConcurrencyDocument, FunctionDocument } from "./document.ts";
import type { ValueExpression } from "./expression.ts";
import type { ConcurrencyLimit, FlowControl, Rate } from "./flow-control.ts";

interface FlowControlTools {
  duration(text: string): number;
  /** Compiles an expression that gives a value. Throws where it is wrong. */
  value(source: string): ValueExpression;
}

/** Compiles what a document says of flow control; undefined where that is nothing. */
export function defineFlowControl(
  { idempotency, singleton, rateLimit, throttle, concurrency, priority }: FunctionDocument,
  { duration, value }: FlowControlTools,
): FlowControl | undefined {
  const keyOf = ({ key }: { readonly key?: string }): { readonly key?: ValueExpression } =>
    key === undefined ? {} : { key: value(key) };
  const rate = (of: NonNullable<typeof rateLimit>): Rate => ({
    limit: of.limit,
    periodMs: duration(of.period),
    ...keyOf(of),
  });
  const limitOf = (of: ConcurrencyDocument): ConcurrencyLimit => ({
    limit: of.limit,
    ...(of.name === undefined ? {} : { name: of.name }),
    ...keyOf(of),
  });
  const control: FlowControl = {
    ...(idempotency && {
      idempotency: { key: value(idempotency.key), periodMs: duration(idempotency.period) },
    }),
    ...(singleton && { singleton: { mode: singleton.mode, ...keyOf(singleton) } }),
    ...(rateLimit && { rateLimit: rate(rateLimit) }),
    ...(throttle && { throttle: { ...rate(throttle), burst: throttle.burst ?? 1 } }),
    ...(concurrency && { concurrency: concurrency.map(limitOf).toSorted(narrowestFirst) }),
    ...(concurrency && priority !== undefined && { priority: value(priority) }),
  };
  return Object.keys(control).length === 0 ? undefined : control;
}

/**
 * A run may hold one slot while it waits for the next: that of a key that few share, never one that all share. Those that
 * functions share come last, by their names. The order is the same in all versions, however their documents list the
 * limits: else two runs could wait for each other.
 */
function narrowestFirst(one: ConcurrencyLimit, other: ConcurrencyLimit): number {
  const byName = compare(one.name ?? "", other.name ?? "");
  return width(one) - width(other) || byName || compare(one.key?.source ?? "", other.key?.source ?? "");
}

function width({ key, name }: ConcurrencyLimit): number {
  return (name === undefined ? 0 : 2) + (key === undefined ? 1 : 0);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
