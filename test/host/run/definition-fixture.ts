import type { Json } from "../../../runtime/json.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import { defineOutput } from "../../../host/function/define-output.ts";
import type {
  Definition,
  EdgeDefinition,
  ForEachDefinition,
  StepDefinition,
  WaitDefinition,
} from "../../../host/function/definition.ts";
import type { Expression, Scope } from "../../../host/function/expression.ts";

/** An expression that is a plain function, so that a test of the executor needs no expression language. */
export function when(holds: (scope: Scope) => boolean): Expression {
  return { source: String(holds), evaluate: (scope) => ({ kind: "value", value: holds(scope) }) };
}

/** A list that is a plain function of what an expression sees; `bears`: so many items may fail. */
export function each(
  list: (scope: Scope) => unknown,
  { concurrency = 10, bears, sees = [] }: { concurrency?: number; bears?: number; sees?: string[] } = {},
): ForEachDefinition {
  const items = {
    source: String(list),
    value: (scope: Scope) => ({ kind: "value", value: list(scope) as Json }) as const,
  };
  const gives = bears === undefined ? "outputs" : "results";
  return { items, concurrency, gives, bears: { items: bears ?? 0, share: 1 }, sees };
}

interface StepSketch {
  readonly after?: readonly (string | EdgeDefinition)[];
  readonly join?: "all" | "any";
  readonly retries?: number;
  readonly forEach?: ForEachDefinition;
  /** The step that undoes this one; without `after`. */
  readonly compensate?: string;
}

/** A definition from a sketch: step ids to what they come after; steps stand in topological order. */
export function sketch(
  steps: Readonly<Record<string, StepSketch>>,
  onFailure?: string,
  waits: readonly WaitDefinition[] = [],
): Definition {
  const all = new Map<string, StepDefinition>();
  for (const [id, step] of Object.entries(steps)) {
    const edges = (step.after ?? ["$trigger"]).map((edge) =>
      typeof edge === "string" ? { from: edge } : edge,
    );
    const ancestors = new Set(
      edges.flatMap(({ from }) => (from === "$trigger" ? [] : [from, ...all.get(from)!.ancestors])),
    );
    all.set(id, {
      id,
      name: id,
      program: { runtime: { type: "wasm" } },
      limits: defaultLimits,
      retry: { retries: step.retries ?? 4, initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 },
      join: step.join ?? "all",
      edges,
      ancestors: [...ancestors],
      ...(step.forEach === undefined ? {} : { forEach: step.forEach }),
    });
  }
  for (const { edges } of all.values()) {
    for (const { from, onFailure: leads } of edges) {
      if (leads === true) all.set(from, { ...all.get(from)!, caught: true });
    }
  }
  const compensations = new Map<string, StepDefinition>();
  for (const [id, { compensate: by }] of Object.entries(steps)) {
    if (by === undefined) continue;
    compensations.set(id, { ...all.get(by)!, edges: [], ancestors: [...all.get(id)!.ancestors, id] });
  }
  for (const { id } of compensations.values()) all.delete(id);
  const handler = onFailure === undefined ? undefined : all.get(onFailure);
  if (onFailure !== undefined) all.delete(onFailure);
  return {
    id: "f",
    name: "f",
    version: "v1",
    triggers: [{ event: "a/b" }],
    steps: all,
    output: defineOutput(
      {
        steps: Object.fromEntries(
          [...all].map(([id, { edges }]) => [id, { after: edges.map(({ from }) => ({ step: from })) }]),
        ),
      },
      () => ({ source: "", value: () => ({ kind: "value", value: null }) }),
    ),
    ...(compensations.size === 0 ? {} : { compensations }),
    waits: new Map(waits.map((wait) => [wait.id, wait])),
    ...(handler === undefined ? {} : { onFailure: handler }),
  };
}
