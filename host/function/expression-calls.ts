import { nearest } from "../nearest.ts";
import { type Environment, compilePattern } from "./expression-functions.ts";
import type { Call, ExpressionProblem } from "./expression-tree.ts";

/** Macros, each with an example; the parser leaves one that is used otherwise as a call of no function. */
const macros: Readonly<Record<string, string>> = {
  has: "has(event.data.field)",
  all: "list.all(x, x > 0)",
  exists: "list.exists(x, x > 0)",
  exists_one: "list.exists_one(x, x > 0)",
  filter: "list.filter(x, x > 0)",
  map: "list.map(x, x.id)",
};

/** What is wrong with a call whatever its arguments are: an unknown function, or a pattern that is none. */
export function checkCall(
  call: Call,
  environment: Environment,
): Omit<ExpressionProblem, "offset"> | undefined {
  const name = call.function;
  // Operators are the parser's own: it can't name one that is not there.
  if (!/^\w+$/.test(name) || /^_.*_$/.test(name)) return undefined;
  if (name === "matches") return checkPattern(call);
  if (environment.funcs.find(name) !== undefined) return undefined;
  const usage = Object.hasOwn(macros, name) ? macros[name] : undefined;
  if (usage !== undefined) return { message: `\`${name}\` is not used as it must be, for example: ${usage}` };
  const functions = [...environment.funcs]
    .map((func) => func.name)
    .filter((known) => /^[a-zA-Z]\w*$/.test(known));
  const close = nearest(name, [...functions, ...Object.keys(macros)]);
  const message = `there is no function \`${name}\``;
  return close === undefined ? { message } : { message, suggestion: close };
}

function checkPattern(call: Call): Omit<ExpressionProblem, "offset"> | undefined {
  const [argument] = call.args;
  if (call.target === undefined || argument?.exprKind.case !== "constExpr") return undefined;
  const constant = argument.exprKind.value.constantKind;
  if (constant.case !== "stringValue") return undefined;
  try {
    compilePattern(constant.value);
    return undefined;
  } catch (error) {
    return { message: `its regular expression is wrong: ${(error as Error).message}` };
  }
}
