import { createHash } from "node:crypto";

/** What Lambda takes as a name. */
const longestName = 64;

/** The name of the Lambda function of a step whose document names none. */
export function lambdaFunctionName(functionId: string, stepId: string): string {
  const name = `${functionId}-${stepId}`;
  if (name.length <= longestName) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${name.slice(0, longestName - digest.length - 1)}-${digest}`;
}
