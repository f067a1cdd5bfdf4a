import type { Json } from "../../json.ts";
import type { StepContext, StepEvent, StepInput } from "../../input.ts";

/** The type of `run` in millrace:step/handler@0.1.0, spelt out. */
export const typedSignature = [
  "(record{",
  "event: record{id: string, name: string, data: string, user: option<string>, ts: u64, v: option<string>, attributes: option<string>}, ",
  "steps: list<record{step: string, output: string}>, ",
  "ctx: record{run-id: string, function-id: string, function-version: string, step-id: string, attempt: u32, ",
  "deadline: u64, idempotency-key: string, user: option<string>, traceparent: option<string>, failure: option<string>}",
  "}) -> result<string, variant{retry(record{message: string, after: option<u64>}), fatal(string)}>",
].join("");

/** A value as the canonical ABI's codecs take it: records are arrays of their fields, options [0] or [1, value]. */
type Value = string | number | bigint | readonly Value[];

/** `input` of millrace:step/types for a typed component. */
export type TypedInput = readonly Value[];

/** What a typed component returned. */
export type TypedResult =
  | readonly [ok: 0, json: string]
  | readonly [
      err: 1,
      failure: readonly [retry: 0, readonly [message: string, after: readonly [0 | 1, bigint]]],
    ]
  | readonly [err: 1, failure: readonly [fatal: 1, message: string]];

/** A step's input as the record of the typed world. */
export function typedInput({ event, steps, ctx }: StepInput): TypedInput {
  const outputs = Object.entries(steps).map(([step, output]) => [step, JSON.stringify(output)]);
  return [typedEvent(event), outputs, typedContext(ctx)];
}

function typedEvent({ id, name, data, user, ts, v, attributes }: StepEvent): Value {
  return [
    id,
    name,
    JSON.stringify(data),
    option(json(user)),
    milliseconds(ts),
    option(v),
    option(json(attributes)),
  ];
}

function typedContext(ctx: StepContext): Value {
  return [
    ctx.runId,
    ctx.functionId,
    ctx.functionVersion,
    ctx.stepId,
    ctx.attempt,
    milliseconds(ctx.deadline),
    ctx.idempotencyKey,
    option(json(ctx.user)),
    option(ctx.traceparent),
    option(json(ctx.failure)),
  ];
}

function json(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function option(text: string | undefined): Value {
  return text === undefined ? [0] : [1, text];
}

/** u64 has no fractions and nothing before 1970. */
function milliseconds(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value)));
}
