import type { Json } from "../../runtime/json.ts";
import type { InvokeDefinition } from "./definition.ts";
import type { InvokeDocument } from "./document.ts";
import type { Scope, ValueEvaluation, ValueExpression } from "./expression.ts";

/** The event by which runs of a function are started that another run waits for. Whoever else sends it starts one too. */
export function invokeEventName(functionId: string): string {
  return `${front}${functionId}`;
}

/** The function that an event of this name starts; undefined: it is no such event. */
export function invokedFunction(eventName: string): string | undefined {
  return eventName.startsWith(front) ? eventName.slice(front.length) : undefined;
}

const front = "invoke/";

interface InvokeTools {
  compile(source: string): ValueExpression;
  duration(text: string): number;
}

/** Compiles what a step invokes. */
export function defineInvoke(
  { function: functionId, data = {}, timeout }: InvokeDocument,
  { compile, duration }: InvokeTools,
): InvokeDefinition {
  return {
    functionId,
    data: dataOf(data, compile),
    ...(timeout === undefined ? {} : { timeoutMs: duration(timeout) }),
  };
}

type Maker = (scope: Scope) => ValueEvaluation;

/** In `data`, every text is an expression, and all else stands for itself. */
function dataOf(data: Json, compile: InvokeTools["compile"]): Maker {
  if (typeof data === "string") {
    const expression = compile(data);
    return (scope) => {
      const evaluation = expression.value(scope);
      if (evaluation.kind === "value") return evaluation;
      return { ...evaluation, message: `\`${data}\`: ${evaluation.message}` };
    };
  }
  if (typeof data !== "object" || data === null) return () => ({ kind: "value", value: data });
  const isList = Array.isArray(data);
  const makers = Object.entries(data as Readonly<Record<string, Json>>).map(
    ([key, member]) => [key, dataOf(member, compile)] as const,
  );
  return (scope) => {
    const made: [string, Json][] = [];
    for (const [key, make] of makers) {
      const evaluation = make(scope);
      if (evaluation.kind !== "value") return evaluation;
      made.push([key, evaluation.value]);
    }
    const value = isList ? made.map(([, one]) => one) : Object.fromEntries(made);
    return { kind: "value", value };
  };
}
