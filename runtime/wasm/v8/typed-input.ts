import type { Json } from "../../json.ts";
import type { StepContext, StepEvent, StepInput } from "../../input.ts";

/** `input` of millrace:step/types as a transpiled component takes it: camel case, u64 as bigint, JSON as text. */
export interface TypedInput {
  readonly event: TypedEvent;
  readonly steps: readonly { readonly step: string; readonly output: string }[];
  readonly ctx: TypedContext;
}

interface TypedEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly user: string | undefined;
  readonly ts: bigint;
  readonly v: string | undefined;
}

interface TypedContext {
  readonly runId: string;
  readonly functionId: string;
  readonly functionVersion: string;
  readonly stepId: string;
  readonly attempt: number;
  readonly deadline: bigint;
  readonly idempotencyKey: string;
  readonly user: string | undefined;
  readonly traceparent: string | undefined;
  readonly failure: string | undefined;
}

/** A step's input as the record of the typed world. */
export function typedInput({ event, steps, ctx }: StepInput): TypedInput {
  return {
    event: typedEvent(event),
    steps: Object.entries(steps).map(([step, output]) => ({ step, output: JSON.stringify(output) })),
    ctx: typedContext(ctx),
  };
}

function typedEvent({ id, name, data, user, ts, v }: StepEvent): TypedEvent {
  return { id, name, data: JSON.stringify(data), user: optionalText(user), ts: milliseconds(ts), v };
}

function typedContext(ctx: StepContext): TypedContext {
  return {
    runId: ctx.runId,
    functionId: ctx.functionId,
    functionVersion: ctx.functionVersion,
    stepId: ctx.stepId,
    attempt: ctx.attempt,
    deadline: milliseconds(ctx.deadline),
    idempotencyKey: ctx.idempotencyKey,
    user: optionalText(ctx.user),
    traceparent: ctx.traceparent,
    failure: optionalText(ctx.failure),
  };
}

function optionalText(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** u64 has no fractions and nothing before 1970. */
function milliseconds(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value)));
}
