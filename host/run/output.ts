import type { Json } from "../../runtime/json.ts";
import type { Definition } from "../function/definition.ts";
import { outputsOf, runScope, type EdgeMoment } from "./edges.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";

type Completion = Extract<HistoryEntry, { readonly type: "run.completed" }>;

/** What is recorded of a run that has completed: steps' outputs are named, since the history has them already. */
export function completion(
  { output, steps }: Definition,
  view: RunView,
  { now: at, onError }: EdgeMoment,
): Completion {
  if (output.kind === "step") return { type: "run.completed", at, outputOf: output.step };
  if (output.kind === "steps") return { type: "run.completed", at, outputOf: output.steps };
  const { expression } = output;
  if (view.event === undefined) return { type: "run.completed", at, output: null };
  const scope = runScope(view.event, view, { steps: [...steps.keys()], from: "", async: undefined });
  const evaluation = expression.value(scope);
  if (evaluation.kind === "error") onError?.(expression.source, evaluation);
  return { type: "run.completed", at, output: evaluation.kind === "value" ? evaluation.value : null };
}

/** The output of a run that has completed, given those of its steps. */
function completedOutput(
  { output, outputOf }: Omit<Completion, "type" | "at">,
  outputs: (steps: readonly string[]) => Readonly<Record<string, Json>>,
): Json {
  if (typeof outputOf === "string") return outputs([outputOf])[outputOf] ?? null;
  return outputOf === undefined ? (output ?? null) : outputs(outputOf);
}

/** The output of a run, once it has completed. */
export function outputOfRun(view: RunView): Json | undefined {
  return view.completion && completedOutput(view.completion, (steps) => outputsOf(view, steps));
}
