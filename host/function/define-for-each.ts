import type { ForEachDefinition } from "./definition.ts";
import type { StepDocument } from "./document.ts";
import { runNames, compileExpression } from "./expression.ts";

/** The items of a step that says no number. */
const defaultConcurrency = 10;
/** Characters of JSON that all items of a list may have together. */
const largestList = 16 * 1024 * 1024;

/** Compiles what a step says of its items. `before`: all steps that a way leads from to it. */
export function defineForEach(
  { items, concurrency = defaultConcurrency, onError, tolerate }: NonNullable<StepDocument["forEach"]>,
  before: readonly string[],
  broken: (what: string) => Error,
): ForEachDefinition {
  const compiled = compileExpression(items, { names: runNames, gives: "value", largest: largestList });
  if (!compiled.ok) throw broken(`its expression ${items} is wrong: ${compiled.message}`);
  const named = new Set(compiled.steps.map(({ step }) => step));
  const goesOn = onError === "continue";
  return {
    items: compiled.expression,
    concurrency,
    gives: goesOn ? "results" : "outputs",
    bears: goesOn ? borne(tolerate) : { items: 0, share: 1 },
    sees: before.filter((step) => !named.has(step)),
  };
}

function borne(tolerate: number | string | undefined): ForEachDefinition["bears"] {
  const all = { items: Number.POSITIVE_INFINITY, share: 1 };
  if (tolerate === undefined) return all;
  return typeof tolerate === "number"
    ? { ...all, items: tolerate }
    : { ...all, share: Number.parseFloat(tolerate) / 100 };
}
