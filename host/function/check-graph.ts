import { nearest } from "../nearest.ts";
import { canonicalJson } from "./digest.ts";
import { triggerStep } from "./document.ts";
import type { Findings } from "./finding.ts";
import { type Graph, cycles, onCycles, reachable } from "./graph.ts";
import { apartOf, type EdgeOutline, type Outline } from "./outline.ts";

/** The steps that edges lead between: all but the `onFailure` step and those that undo others, each with the steps its edges come from. */
export function graphOf(outline: Outline): Graph {
  const { steps } = outline;
  const apart = apartOf(outline);
  const graph = new Map<string, string[]>();
  for (const [id, { edges }] of steps) {
    if (!apart.has(id))
      graph.set(
        id,
        edges.flatMap(({ step }) => (step === undefined ? [] : [step.text])),
      );
  }
  return graph;
}

/** Checks where edges lead: unknown steps, doubles, cycles, steps that never run, and the `onFailure` step. */
export function checkGraph(outline: Outline, findings: Findings): void {
  const { steps, onFailure } = outline;
  const names = [...steps.keys()];
  if (onFailure !== undefined && !steps.has(onFailure.text)) {
    findings.add(
      {
        code: "ERR_FUNCTION_STEP_UNKNOWN",
        pointer: onFailure.pointer,
        message: `there is no step ${JSON.stringify(onFailure.text)}`,
      },
      () => nearest(onFailure.text, names),
    );
  } else if (onFailure !== undefined && steps.size === 1) {
    const message = "it is the only step, so the run has none that could fail";
    findings.add({ code: "ERR_FUNCTION_ON_FAILURE", pointer: onFailure.pointer, message });
  }
  for (const [id, { edges }] of steps) {
    const seen = new Set<string>();
    for (const edge of edges) {
      const text = canonicalJson(edge.value);
      if (seen.has(text)) {
        findings.add({
          code: "ERR_FUNCTION_DUPLICATE",
          pointer: edge.pointer,
          message: "the same edge is there already",
        });
      }
      seen.add(text);
      checkEdge(id, edge, outline, names, findings);
    }
  }
  const graph = graphOf(outline);
  for (const cycle of cycles(graph)) {
    findings.add({
      code: "ERR_FUNCTION_CYCLE",
      pointer: closingEdge(outline, cycle),
      message: `the edges form a cycle: ${cycle.join(" → ")}`,
    });
  }
  checkReach(outline, graph, findings);
}

function checkEdge(
  id: string,
  edge: EdgeOutline,
  { steps, onFailure }: Outline,
  names: string[],
  findings: Findings,
): void {
  if (id === onFailure?.text) {
    findings.add({
      code: "ERR_FUNCTION_ON_FAILURE",
      pointer: edge.pointer,
      message: `no edge may lead to ${id}: as \`onFailure\`, it runs when the run has failed`,
    });
  }
  const from = edge.step;
  if (from === undefined || from.text === triggerStep) return;
  if (from.text === onFailure?.text && from.text !== id) {
    findings.add({
      code: "ERR_FUNCTION_ON_FAILURE",
      pointer: from.pointer,
      message: `no edge may come from ${from.text}: as \`onFailure\`, it is the last step of a failed run`,
    });
  } else if (!steps.has(from.text)) {
    findings.add(
      {
        code: "ERR_FUNCTION_STEP_UNKNOWN",
        pointer: from.pointer,
        message: `there is no step ${JSON.stringify(from.text)}`,
      },
      () => nearest(from.text, [...names, triggerStep]),
    );
  }
}

/** The `after` entry that leads back to the cycle's beginning. */
function closingEdge({ steps }: Outline, cycle: readonly string[]): string {
  const [to, from] = [cycle.at(-1) as string, cycle.at(-2) as string];
  const edge = steps.get(to)?.edges.find(({ step }) => step?.text === from);
  return edge?.step?.pointer ?? "";
}

/** A step is reached unless all its edges come from steps that are not: cycles, and what lies behind them. */
function checkReach({ steps }: Outline, graph: Graph, findings: Findings): void {
  const roots = [...graph].filter(
    ([, from]) => from.length === 0 || from.some((source) => !graph.has(source)),
  );
  const reached = reachable(
    graph,
    roots.map(([id]) => id),
  );
  const cyclic = onCycles(graph);
  for (const id of graph.keys()) {
    // The cycle itself is reported as one.
    if (reached.has(id) || cyclic.has(id)) continue;
    findings.add({
      code: "ERR_FUNCTION_STEP_UNREACHABLE",
      pointer: steps.get(id)?.pointer ?? "",
      place: "key",
      message: `${id} would never run: every way to it begins on a cycle`,
    });
  }
}
