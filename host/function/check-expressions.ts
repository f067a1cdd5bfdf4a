import { nearest } from "../nearest.ts";
import { graphOf } from "./check-graph.ts";
import { triggerStep } from "./document.ts";
import type { StepReference } from "./expression-check.ts";
import {
  type Scope,
  asyncNames,
  compileExpression,
  edgeNames,
  failureNames,
  outputNames,
  triggerNames,
} from "./expression.ts";
import type { Findings } from "./finding.ts";
import { ancestors, topologicalOrder } from "./graph.ts";
import { apartOf, type EdgeOutline, type Outline, type Text } from "./outline.ts";

/** The steps whose outputs an expression may name, and where they lead, in words; undefined: nobody can say. */
interface Visible {
  readonly steps: readonly string[] | undefined;
  readonly to: string;
}

/** Checks the expressions of triggers, edges and waits, and that the steps they name come before. */
export function checkExpressions(outline: Outline, findings: Findings): void {
  for (const { expression } of outline.triggers) {
    if (expression !== undefined) compile(expression, triggerNames, findings);
  }
  checkOutput(outline, findings);
  for (const value of outline.values) compile(value, triggerNames, findings, "value");
  const batch = outline.batches ? (["events"] as const) : [];
  if (outline.batchIf !== undefined) compile(outline.batchIf, triggerNames, findings);
  for (const condition of outline.cancels) compile(condition, [...triggerNames, ...batch, "async"], findings);
  const graph = graphOf(outline);
  const before = ancestors(graph, topologicalOrder(graph));
  const waiting = new Set(
    [...outline.steps]
      .filter(([, { edges }]) => edges.some(({ async }) => async !== undefined))
      .map(([id]) => id),
  );
  for (const [id, { edges, forEach, invokes }] of outline.steps) {
    // On and behind a cycle nobody can say what comes before.
    const toStep = { steps: before.get(id), to: id };
    if (forEach?.items !== undefined) {
      const awaited = [id, ...(before.get(id) ?? [])].some((step) => waiting.has(step));
      const names: readonly (keyof Scope)[] = awaited ? [...outputNames, "async"] : outputNames;
      checkOne(forEach.items, [...names, ...batch], toStep, outline, findings, "value");
    }
    const awaits = [id, ...(before.get(id) ?? [])].some((one) => waiting.has(one));
    const seen = [
      ...(edges.length === 1 ? edgeNames : outputNames),
      ...(awaits ? (["async"] as const) : []),
      ...batch,
    ];
    for (const text of invokes) checkOne(text, seen, toStep, outline, findings, "value");
    for (const edge of edges) {
      const from = edge.step?.text;
      const seen = [...namesOf(edge, waiting, before), ...batch];
      if (edge.if !== undefined) checkOne(edge.if, seen, toStep, outline, findings);
      if (edge.waitUntil !== undefined) checkOne(edge.waitUntil, seen, toStep, outline, findings, "value");
      if (edge.async?.match === undefined) continue;
      const names = [
        ...(from === triggerStep ? ([...triggerNames, "async"] as const) : asyncNames),
        ...batch,
      ];
      const earlier = from === undefined ? undefined : before.get(from);
      const fromStep = { steps: earlier && [...earlier, from ?? ""], to: `the end of ${from}` };
      checkOne(edge.async.match, names, from === triggerStep ? toStep : fromStep, outline, findings);
    }
  }
}

/** An output that is no step's id is an expression over all steps that are run before the run completes. */
function checkOutput(outline: Outline, findings: Findings): void {
  const { output, steps, onFailure } = outline;
  if (output === undefined) return;
  const names: readonly string[] = outputNames;
  const apart = apartOf(outline);
  const visible = [...steps.keys()].filter((id) => !apart.has(id));
  if (output.text === onFailure?.text) {
    const message = `${output.text} runs when the run has failed, and a failed run has no output`;
    findings.add({ code: "ERR_FUNCTION_ON_FAILURE", pointer: output.pointer, message });
  } else if (/^[\w-]+$/.test(output.text) && !names.includes(output.text) && !steps.has(output.text)) {
    const message = `there is no step ${JSON.stringify(output.text)}`;
    findings.add({ code: "ERR_FUNCTION_STEP_UNKNOWN", pointer: output.pointer, message }, () =>
      nearest(output.text, [...visible, ...names]),
    );
  } else if (!steps.has(output.text)) {
    const within = { steps: visible, to: "the run's end" };
    const batch = outline.batches ? (["events"] as const) : [];
    checkOne(output, [...outputNames, ...batch], within, outline, findings, "value");
  }
}

/** `async` is there where an event was waited for on this edge, or on a way to it. */
function namesOf(
  { async, step, on }: EdgeOutline,
  waiting: ReadonlySet<string>,
  before: ReadonlyMap<string, readonly string[]>,
): readonly (keyof Scope)[] {
  const from = step?.text ?? "";
  const left = on?.text === "failure" ? failureNames : edgeNames;
  const names = from === triggerStep ? triggerNames : left;
  const awaited = [from, ...(before.get(from) ?? [])].some((id) => waiting.has(id));
  return (async !== undefined && !async.onTimeout) || awaited ? [...names, "async"] : names;
}

function checkOne(
  text: Text,
  names: readonly (keyof Scope)[],
  visible: Visible,
  outline: Outline,
  findings: Findings,
  gives: "condition" | "value" = "condition",
): void {
  for (const reference of compile(text, names, findings, gives))
    checkReference(reference, text, visible, outline, findings);
}

function compile(
  text: Text,
  names: readonly (keyof Scope)[],
  findings: Findings,
  gives: "condition" | "value" = "condition",
): readonly StepReference[] {
  const compiled = compileExpression(text.text, { names, gives });
  if (compiled.ok) return compiled.steps;
  for (const { message, offset, suggestion } of compiled.problems) {
    findings.add(
      {
        code: "ERR_FUNCTION_EXPRESSION",
        pointer: text.pointer,
        message: `the expression is wrong: ${message}`,
        ...(offset === undefined ? {} : { character: offset }),
      },
      () => suggestion,
    );
  }
  return [];
}

function checkReference(
  { step, offset }: StepReference,
  { pointer }: Text,
  visible: Visible,
  { steps }: Outline,
  findings: Findings,
): void {
  const place = { pointer, character: offset };
  if (!steps.has(step)) {
    const message = `the expression names a step ${JSON.stringify(step)}, which is not there`;
    findings.add({ code: "ERR_FUNCTION_STEP_UNKNOWN", message, ...place }, () =>
      suggest(step, [...steps.keys()]),
    );
  } else if (visible.steps !== undefined && !visible.steps.includes(step)) {
    const message = `the expression names the output of ${step}, from which no way leads to ${visible.to}`;
    findings.add({ code: "ERR_FUNCTION_EXPRESSION", message, ...place });
  }
}

/** CEL reads `steps.step-1` as a subtraction: such an id needs brackets. */
function suggest(step: string, names: readonly string[]): string | undefined {
  const cut = names.find((name) => name.startsWith(`${step}-`));
  return cut === undefined ? nearest(step, names) : `steps[${JSON.stringify(cut)}]`;
}
