import type { StepFailure, StepProgram } from "../driver.ts";
import { failure } from "../failure.ts";
import type { Json } from "../json.ts";

/** What the `runtime` of a Lambda step says. */
export interface LambdaOptions {
  /** A name, an ARN, or an account and a name; with a qualifier behind it or not. */
  readonly function: string;
  /** A version's number or an alias. */
  readonly qualifier?: string;
  /** That of the function's ARN, else the environment's, where it is left out. */
  readonly region?: string;
  /** The URL of Lambda's API in place of AWS's own. */
  readonly endpoint?: string;
  /** Error types for which no other attempt is made. */
  readonly fatal: ReadonlySet<string>;
}

/** The error type that is always fatal: how a function says so without its document. */
const alwaysFatal = "FatalError";

/** Reads a program's options. A document's own were checked before; this is for versions that came another way. */
export function lambdaOptions({ runtime }: StepProgram): LambdaOptions | StepFailure {
  const { function: name, fatal = [] } = runtime;
  if (typeof name !== "string" || name === "") return wrong("`function` names no Lambda function");
  if (!isTexts(fatal)) return wrong("`fatal` is no list of error types");
  const others: Record<string, string> = {};
  for (const key of ["qualifier", "region", "endpoint"] as const) {
    const value = runtime[key];
    if (value === undefined) continue;
    if (typeof value !== "string" || value === "") return wrong(`\`${key}\` is not a text`);
    others[key] = value;
  }
  const { endpoint } = others;
  if (endpoint !== undefined && !isHttpUrl(endpoint))
    return wrong(`\`endpoint\` is no HTTP URL: ${endpoint}`);
  const region = others["region"] ?? regionOf(name);
  return {
    function: name,
    ...others,
    ...(region === undefined ? {} : { region }),
    fatal: new Set([alwaysFatal, ...fatal]),
  };
}

/** A function as people name it: "charge:7". */
export function functionTitle(options: Pick<LambdaOptions, "function" | "qualifier">): string {
  return options.qualifier === undefined ? options.function : `${options.function}:${options.qualifier}`;
}

function wrong(what: string): StepFailure {
  return failure("ERR_LAMBDA_OPTIONS", `The step's \`runtime\` can't be used: ${what}.`);
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The fourth part of an ARN. */
function regionOf(name: string): string | undefined {
  return /^arn:[^:]+:lambda:([a-z0-9-]+):/.exec(name)?.[1];
}
