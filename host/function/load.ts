import type { Json } from "../../runtime/json.ts";
import type { Problem } from "../errors.ts";
import { checkAmounts } from "./check-amounts.ts";
import { checkBuild } from "./check-build.ts";
import { checkCapabilities } from "./check-capabilities.ts";
import { checkRuntimes } from "./check-runtimes.ts";
import { checkCollect } from "./check-collect.ts";
import { checkInvoke } from "./check-invoke.ts";
import { checkCompensations } from "./check-compensations.ts";
import { checkLinks } from "./check-links.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkFlowControl } from "./check-flow-control.ts";
import { checkFailureEdges } from "./check-failure-edges.ts";
import { checkForEach } from "./check-for-each.ts";
import { checkGraph } from "./check-graph.ts";
import { checkSteps } from "./check-steps.ts";
import { checkTriggers } from "./check-triggers.ts";
import { checkWaits } from "./check-waits.ts";
import type { FunctionDocument } from "./document.ts";
import { checkSchema } from "./document-schema.ts";
import { type Finding, type Findings, createFindings, mostFindings } from "./finding.ts";
import { outlineOf } from "./outline.ts";
import type { Position } from "./position.ts";
import { type Source, readSource } from "./source.ts";

/** As many as the schema allows. */
const mostSteps = 1_000;

/** What loading gave: the document, or all that is wrong with it in the order of the text. */
export type LoadedFunction =
  | {
      readonly ok: true;
      readonly document: FunctionDocument;
      /** Where the value that a JSON pointer names begins. */
      positionOf(pointer: string): Position | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a function document: JSON in UTF-8 that fits function.schema.json and makes sense. Whether its paths exist
 * is not looked at. `file` is how the problems name the document.
 */
export function loadFunction(text: string | Uint8Array, options: { readonly file: string }): LoadedFunction {
  const { file } = options;
  const { source, problems } = readSource(text);
  if (source === undefined) return { ok: false, problems: problems.map((problem) => ({ file, ...problem })) };

  const findings = createFindings();
  check(source.value, findings);
  const all = [...problems, ...findings.list.map((finding) => problemOf(finding, source))];
  if (all.length > 0) {
    const sorted = all.toSorted(byPosition).slice(0, mostFindings);
    return { ok: false, problems: sorted.map((problem) => ({ file, ...problem })) };
  }
  return {
    ok: true,
    document: source.value as unknown as FunctionDocument,
    positionOf: (pointer) => source.valueAt(pointer),
  };
}

function check(document: Json, findings: Findings): void {
  const outline = outlineOf(document);
  const { size } = outline.steps;
  if (size > mostSteps) {
    // What follows is quick for as many as may be, and not for any number.
    const message = `it has ${size} steps; ${mostSteps} are allowed`;
    findings.add({ code: "ERR_FUNCTION_SCHEMA", pointer: "/steps", message });
    return;
  }
  checkSchema(document, findings);
  checkAmounts(document, findings);
  checkCapabilities(document, findings);
  checkTriggers(outline, findings);
  checkFlowControl(document, findings);
  checkCollect(document, findings);
  checkBuild(document, findings);
  checkRuntimes(document, findings);
  checkInvoke(document, findings);
  checkSteps(outline, findings);
  checkGraph(outline, findings);
  checkForEach(outline, findings);
  checkCompensations(outline, findings);
  checkFailureEdges(outline, findings);
  checkWaits(outline, findings);
  checkLinks(outline, findings);
  checkExpressions(outline, findings);
}

function problemOf({ place, character, ...finding }: Finding, source: Source): Problem {
  const position =
    place === "key" ? source.keyAt(finding.pointer) : source.valueAt(finding.pointer, character);
  return { ...finding, ...position };
}

function byPosition(left: Problem, right: Problem): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0);
}
