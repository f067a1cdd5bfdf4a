import type { StepProgram } from "../../runtime/driver.ts";
import { defaultLimits, type Limits } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/json.ts";
import { MillraceError } from "../errors.ts";
import { normalCapabilities } from "./capabilities.ts";
import { httpStepCapabilities } from "./http-step.ts";
import { compileCron, type CronTrigger, defaultMissed, defaultTimezone } from "./cron.ts";
import { defineInvoke } from "./define-invoke.ts";
import { defineOutput } from "./define-output.ts";
import { defineCollect } from "./define-collect.ts";
import { defineWaits, type Waits } from "./define-waits.ts";
import type { Definition, EdgeDefinition, LinkName, RetryPolicy, StepDefinition } from "./definition.ts";
import { defineFlowControl } from "./define-flow-control.ts";
import { defineForEach } from "./define-for-each.ts";
import { digestJson } from "./digest.ts";
import {
  type EdgeDocument,
  type FunctionDocument,
  type RetryDocument,
  type StepDocument,
  type TriggerDocument,
  triggerEvent,
  stepsApart,
  triggerStep,
} from "./document.ts";
import { parseDuration } from "./duration.ts";
import {
  runNames,
  compileExpression,
  outputNames,
  triggerNames,
  type Compiled,
  type Scope,
  type ValueExpression,
} from "./expression.ts";
import { ancestors, topologicalOrder } from "./graph.ts";
import { lambdaFunctionName } from "./lambda-function.ts";
import { parseSize } from "./size.ts";
import type { FunctionVersion, PinnedOptions } from "./version.ts";

/** The retry policy of a function that names none. */
export const defaultRetry: RetryPolicy = {
  retries: 4,
  initialMs: 1_000,
  factor: 2,
  maxMs: 3_600_000,
  jitter: 0.5,
};

/** Makes a version of a document, the artifacts (sha256 by step id) it was built with, and what `push` fixed. */
export function functionVersion(
  document: FunctionDocument,
  components: Readonly<Record<string, string>>,
  createdAt: number,
  pinned: PinnedOptions = {},
): FunctionVersion {
  const fixed = Object.keys(pinned).length === 0 ? {} : { pinned };
  const version = digestJson({ document, components, ...fixed } as unknown as Json).slice(0, 12);
  return { functionId: document.id, version, document, components, ...fixed, createdAt };
}

/** Compiles a version of a document that loadFunction took; throws ERR_FUNCTION_SCHEMA for one it would refuse. */
export function define(version: FunctionVersion): Definition {
  const { document } = version;
  const apart = stepsApart(document);
  const graph = new Map(
    Object.entries(document.steps)
      .filter(([id]) => !apart.has(id))
      .map(([id, step]) => [id, (step.after ?? []).map((edge) => edge.step)]),
  );
  const order = topologicalOrder(graph);
  if (order.length < graph.size) throw broken("its steps have a cycle");
  const before = ancestors(graph, order);
  const waits = defineWaits(document, { before, duration, match: (source) => compiled(source, runNames) });
  const collects = defineCollect(document, {
    duration,
    condition: (source) => compiled(source, triggerNames).expression,
    value: (source) => compiled(source, triggerNames, "value").expression,
  });
  const step = (id: string): [string, StepDefinition] => [
    id,
    defineStep(version, id, before.get(id) ?? [], waits),
  ];
  const compensations = new Map(
    order.flatMap((id) => {
      const { compensate: by, forEach } = document.steps[id] ?? {};
      if (by === undefined) return [];
      // A list in the input of what undoes each of its items would be written as often as it is long.
      const seen = [...(before.get(id) ?? []), ...(forEach === undefined ? [id] : [])];
      return [[id, defineStep(version, by, seen, waits)] as const];
    }),
  );
  const flowControl = defineFlowControl(document, { duration, value });
  return {
    id: document.id,
    name: document.name ?? document.id,
    version: version.version,
    triggers: document.triggers.map((trigger) => defineTrigger(document.id, trigger)),
    steps: new Map(order.map(step)),
    ...(document.onFailure === undefined
      ? {}
      : { onFailure: defineStep(version, document.onFailure, order, waits) }),
    ...(compensations.size === 0 ? {} : { compensations }),
    output: defineOutput(
      document,
      (source) => compiled(source, [...outputNames, "events"], "value").expression,
    ),
    waits: waits.all,
    ...(document.timeout === undefined ? {} : { timeoutMs: duration(document.timeout) }),
    ...(document.startTimeout === undefined ? {} : { startTimeoutMs: duration(document.startTimeout) }),
    ...(flowControl === undefined ? {} : { flowControl }),
    ...(collects === undefined ? {} : { collects }),
  };
}

function defineTrigger(functionId: string, trigger: TriggerDocument): Definition["triggers"][number] {
  const event = triggerEvent(functionId, trigger);
  if ("cron" in trigger) return { event, cron: cronOf(trigger) };
  const { expression } = trigger;
  return {
    event,
    ...(expression === undefined ? {} : { expression: compiled(expression, triggerNames).expression }),
  };
}

function cronOf(trigger: Extract<TriggerDocument, { readonly cron: string }>): CronTrigger {
  const { cron: pattern, timezone = defaultTimezone, jitter, missed = defaultMissed } = trigger;
  const times = compileCron(pattern, timezone);
  if (!times.ok) throw broken(times.message);
  const { next, previous } = times;
  return { pattern, timezone, missed, jitterMs: jitter === undefined ? 0 : duration(jitter), next, previous };
}

function defineStep(
  { document, components, pinned = {} }: FunctionVersion,
  id: string,
  before: readonly string[],
  waits: Waits,
): StepDefinition {
  const step = Object.hasOwn(document.steps, id) ? document.steps[id] : undefined;
  if (step === undefined) throw broken(`it has no step ${id}`);
  const fixed = Object.hasOwn(pinned, id) ? pinned[id] : undefined;
  const sha256 = Object.hasOwn(components, id) ? components[id] : undefined;
  return {
    id,
    name: step.name ?? id,
    ...(step.invoke === undefined
      ? {
          program: {
            runtime: { ...runtimeOf(document.id, id, step), ...fixed },
            ...(sha256 === undefined ? {} : { sha256 }),
            ...capabilities(step),
          },
        }
      : { invoke: defineInvoke(step.invoke, { compile: valueOf, duration }) }),
    limits: limitsOf(step),
    retry:
      step.invoke === undefined
        ? retryOf(step.retry, retryOf(document.retry, defaultRetry))
        : retryOf(step.retry, { ...retryOf(document.retry, defaultRetry), retries: 0 }),
    join: step.join ?? "all",
    edges: stepsApart(document).has(id) ? [] : edgesOf(step.after, waits),
    ancestors: before,
    ...(isCaught(document, id) ? { caught: true } : {}),
    ...(step.forEach === undefined ? {} : { forEach: defineForEach(step.forEach, before, broken) }),
    ...linksOf(waits.linksFor(id)),
    ...someWaits(waits.onWaysTo([id, ...before])),
  };
}

/** Whether an edge leads from the step's failure. */
function isCaught({ steps }: FunctionDocument, id: string): boolean {
  return Object.values(steps).some(({ after }) =>
    after?.some(({ step, on }) => step === id && on === "failure"),
  );
}

/** What a step's `runtime` says, with what it leaves open. */
export function runtimeOf(
  functionId: string,
  stepId: string,
  { runtime = { type: "wasm" } }: Pick<StepDocument, "runtime">,
): StepProgram["runtime"] {
  if (runtime.type !== "lambda") return runtime;
  return { function: lambdaFunctionName(functionId, stepId), ...runtime };
}

function capabilities({ runtime, capabilities }: StepDocument): Pick<StepProgram, "capabilities"> {
  const implied = runtime?.type === "http" ? httpStepCapabilities(runtime) : undefined;
  if (capabilities === undefined) return implied === undefined ? {} : { capabilities: implied };
  try {
    return { capabilities: { ...normalCapabilities(capabilities), ...implied } };
  } catch (error) {
    throw broken(`its capabilities are wrong: ${(error as Error).message}`);
  }
}

function edgesOf(after: readonly EdgeDocument[] = [], waits: Waits): readonly EdgeDefinition[] {
  if (after.length === 0) return [{ from: triggerStep }];
  return after.map((edge) => {
    const condition = edge.if === undefined ? undefined : compiled(edge.if, [...runNames, "failure"]);
    const wait = waits.of(edge);
    return {
      from: edge.step,
      ...(edge.on === "failure" ? { onFailure: true } : {}),
      ...(condition === undefined ? {} : { if: condition.expression }),
      ...(edge.wait === undefined ? {} : { waitMs: duration(edge.wait) }),
      ...(edge.waitUntil === undefined
        ? {}
        : { waitUntil: compiled(edge.waitUntil, [...runNames, "failure"], "value").expression }),
      ...(wait === undefined ? {} : { wait }),
      ...someWaits(waits.onWaysOver(edge)),
      ...(edge.async?.onTimeout === true ? { onTimeout: true } : {}),
      ...(wait !== undefined && condition?.uses.has("async") === true ? { ifAsync: true } : {}),
    };
  });
}

function linksOf(links: readonly LinkName[]): Pick<StepDefinition, "links"> {
  return links.length === 0 ? {} : { links };
}

function someWaits(waits: readonly string[]): { readonly waits?: readonly string[] } {
  return waits.length === 0 ? {} : { waits };
}

function limitsOf({ timeout, limits = {} }: StepDocument): Limits {
  return {
    wallMs: timeout === undefined ? defaultLimits.wallMs : duration(timeout),
    ...(limits.cpu === undefined ? {} : { cpuMs: duration(limits.cpu) }),
    memoryBytes: limits.memory === undefined ? defaultLimits.memoryBytes : size(limits.memory),
    outputBytes: limits.output === undefined ? defaultLimits.outputBytes : size(limits.output),
    logBytes: limits.logs === undefined ? defaultLimits.logBytes : size(limits.logs),
    tmpBytes: limits.tmp === undefined ? defaultLimits.tmpBytes : size(limits.tmp),
    httpConcurrent: limits.http?.concurrent ?? defaultLimits.httpConcurrent,
    httpBodyBytes: limits.http?.body === undefined ? defaultLimits.httpBodyBytes : size(limits.http.body),
  };
}

/** What a policy leaves open comes from the one above it. */
function retryOf({ retries, backoff = {} }: RetryDocument = {}, above: RetryPolicy): RetryPolicy {
  return {
    retries: retries ?? above.retries,
    initialMs: backoff.initial === undefined ? above.initialMs : duration(backoff.initial),
    factor: backoff.factor ?? above.factor,
    maxMs: backoff.max === undefined ? above.maxMs : duration(backoff.max),
    jitter: backoff.jitter ?? above.jitter,
  };
}

function compiled(
  source: string,
  names: readonly (keyof Scope)[],
  gives: "condition" | "value" = "condition",
): Extract<Compiled, { ok: true }> {
  const result = compileExpression(source, { names, gives });
  if (result.ok) return result;
  throw broken(`its expression ${source} is wrong: ${result.message}`);
}

function value(source: string): ValueExpression {
  return compiled(source, triggerNames, "value").expression;
}

function valueOf(source: string): ValueExpression {
  return compiled(source, runNames, "value").expression;
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw broken(`${text} is not a duration`);
  return value;
}

function size(given: string | number): number {
  const value = parseSize(given);
  if (value === undefined) throw broken(`${given} is not a size`);
  return value;
}

function broken(what: string): MillraceError {
  return new MillraceError("ERR_FUNCTION_SCHEMA", `The function can't be run: ${what}.`);
}
