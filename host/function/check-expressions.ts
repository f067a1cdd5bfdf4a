import { nearest } from "../nearest.ts";
import { graphOf } from "./check-graph.ts";
import { triggerStep } from "./document.ts";
import type { StepReference } from "./expression-check.ts";
import { type Scope, compileExpression, edgeNames, triggerNames } from "./expression.ts";
import type { Findings } from "./finding.ts";
import { ancestors, topologicalOrder } from "./graph.ts";
import type { EdgeOutline, Outline, Text } from "./outline.ts";

/** Checks the expressions of triggers and edges, and that the steps they name come before. */
export function checkExpressions(outline: Outline, findings: Findings): void {
  for (const { expression } of outline.triggers) {
    if (expression !== undefined) compile(expression, triggerNames, findings);
  }
  const graph = graphOf(outline);
  const before = ancestors(graph, topologicalOrder(graph));
  for (const [id, { edges }] of outline.steps) {
    for (const edge of edges) {
      if (edge.if === undefined) continue;
      const names = edge.step?.text === triggerStep ? triggerNames : edgeNames;
      const references = compile(edge.if, names, findings);
      // On and behind a cycle nobody can say what comes before.
      const visible = before.get(id);
      for (const reference of references) checkReference(reference, edge, id, visible, outline, findings);
    }
  }
}

function compile(text: Text, names: readonly (keyof Scope)[], findings: Findings): readonly StepReference[] {
  const compiled = compileExpression(text.text, { names });
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
  edge: EdgeOutline,
  id: string,
  visible: readonly string[] | undefined,
  { steps }: Outline,
  findings: Findings,
): void {
  const place = { pointer: edge.if?.pointer ?? edge.pointer, character: offset };
  if (!steps.has(step)) {
    const message = `the expression names a step ${JSON.stringify(step)}, which is not there`;
    findings.add({ code: "ERR_FUNCTION_STEP_UNKNOWN", message, ...place }, () =>
      suggest(step, [...steps.keys()]),
    );
  } else if (visible !== undefined && !visible.includes(step)) {
    const message = `the expression names the output of ${step}, from which no way leads to ${id}`;
    findings.add({ code: "ERR_FUNCTION_EXPRESSION", message, ...place });
  }
}

/** CEL reads `steps.step-1` as a subtraction: such an id needs brackets. */
function suggest(step: string, names: readonly string[]): string | undefined {
  const cut = names.find((name) => name.startsWith(`${step}-`));
  return cut === undefined ? nearest(step, names) : `steps[${JSON.stringify(cut)}]`;
}
