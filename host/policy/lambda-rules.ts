import type { StepProgram } from "../../runtime/driver.ts";
import type { Json } from "../../runtime/json.ts";
import type { Refusal } from "./grants.ts";
import { matchesPattern } from "./pattern.ts";

/** The steps of the first may have the second invoked, with the credentials of the host. */
export interface LambdaRule {
  /** Patterns of functions' ids. */
  readonly functions: readonly string[];
  /** Patterns of Lambda functions' names, or of their ARNs. */
  readonly invoke: readonly string[];
  /** Where else than at AWS, and at the address that the host's environment names: URLs of Lambda's API. */
  readonly endpoints?: readonly string[];
}

/** What a Lambda step asks for and no rule allows to its function. */
export function lambdaRefusals(
  rules: readonly LambdaRule[],
  functionId: string,
  { type, function: name, endpoint }: StepProgram["runtime"],
): readonly Refusal[] {
  if (type !== "lambda") return [];
  const own = rules.filter(({ functions }) => functions.some((one) => matchesPattern(one, functionId)));
  const patterns = own.flatMap(({ invoke }) => invoke);
  const endpoints = own.flatMap(({ endpoints = [] }) => endpoints);
  const pointer = "/capabilities/lambda";
  const refusals: Refusal[] = [];
  if (typeof name !== "string" || !patterns.some((pattern) => names(pattern, name))) {
    refusals.push({ asked: `the Lambda function ${textOf(name)}`, allowed: allowed(patterns), pointer });
  }
  if (endpoint !== undefined && !endpoints.some((url) => url === endpoint)) {
    refusals.push({ asked: `Lambda at ${textOf(endpoint)}`, allowed: allowed(endpoints), pointer });
  }
  return refusals;
}

/** A pattern without an account is about the name alone. A name with a version behind it is none that a document may have. */
function names(pattern: string, name: string): boolean {
  const [, own] = /^(?:(?:arn:[^:]+:lambda:[^:]+:)?\d{12}:function:)?([\w-]+)$/.exec(name) ?? [];
  return own !== undefined && matchesPattern(pattern, pattern.includes(":") ? name : own);
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function allowed(patterns: readonly string[]): string {
  return patterns.length === 0 ? "no step of this function" : `this function for ${patterns.join(", ")}`;
}
