import type { OutputDefinition } from "./definition.ts";
import { stepsApart, type FunctionDocument } from "./document.ts";
import type { ValueExpression } from "./expression.ts";

/** Where the document says nothing: the output of the only step that no edge comes from, or of all of those. */
export function defineOutput(
  { output, ...document }: Pick<FunctionDocument, "output" | "onFailure" | "steps">,
  compile: (source: string) => ValueExpression,
): OutputDefinition {
  const { steps } = document;
  if (output !== undefined) {
    return Object.hasOwn(steps, output)
      ? { kind: "step", step: output }
      : { kind: "value", expression: compile(output) };
  }
  const apart = stepsApart(document);
  const ids = Object.keys(steps).filter((id) => !apart.has(id));
  const left = new Set(ids.flatMap((id) => (steps[id]?.after ?? []).map(({ step }) => step)));
  const ends = ids.filter((id) => !left.has(id));
  const [only] = ends;
  return only !== undefined && ends.length === 1
    ? { kind: "step", step: only }
    : { kind: "steps", steps: ends };
}
