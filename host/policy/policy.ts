import type { StepProgram } from "../../runtime/driver.ts";
import type { Limits } from "../../runtime/limits.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { define } from "../function/define.ts";
import { programsOf, type ProgramStep } from "../function/definition.ts";
import type { FunctionVersion } from "../function/version.ts";
import { dockerRefusals, type PolicyGrants, refusals } from "./grants.ts";
import { type LambdaRule, lambdaRefusals } from "./lambda-rules.ts";

/** What the operator of a host lets steps have; a host without one lets them have all that their documents ask for. */
export interface Policy {
  /** How problems name it. */
  readonly file: string;
  /** What is not named, no function may have. */
  readonly capabilities: PolicyGrants & {
    readonly lambda?: readonly LambdaRule[];
    /** The functions that may have containers, by patterns of their ids. */
    readonly docker?: readonly string[];
  };
  /** The most that a step may ask for; what is not named has no maximum. */
  readonly limits: Readonly<Partial<Limits>>;
}

/** What of a step a policy is about. */
type AskingStep = Pick<ProgramStep, "id" | "limits"> & {
  readonly program: Pick<StepProgram, "capabilities" | "runtime">;
};

/** How the policy's file names a limit, and how amounts of it are written. */
const limitNames: readonly (readonly [keyof Limits, string, string])[] = [
  ["wallMs", "timeout", "ms"],
  ["cpuMs", "cpu", "ms"],
  ["memoryBytes", "memory", "bytes"],
  ["outputBytes", "output", "bytes"],
  ["logBytes", "logs", "bytes"],
  ["tmpBytes", "tmp", "bytes"],
  ["httpConcurrent", "http/concurrent", "requests"],
  ["httpBodyBytes", "http/body", "bytes"],
];

/** All that a step asks for and the policy does not allow, with pointers into the policy. */
export function policyProblems(
  policy: Policy | undefined,
  functionId: string,
  { id, program, limits: asked }: AskingStep,
): readonly Problem[] {
  if (policy === undefined) return [];
  const { file, capabilities, limits } = policy;
  const step = `step ${id} of ${functionId}`;
  const problems: Problem[] = [];
  const refused = [
    ...refusals(capabilities, functionId, program.capabilities ?? {}),
    ...lambdaRefusals(capabilities.lambda ?? [], functionId, program.runtime),
    ...dockerRefusals(capabilities.docker ?? [], functionId, program.runtime),
  ];
  for (const { asked, allowed, pointer } of refused) {
    const message = `${step} asks for ${asked}, which the policy allows to ${allowed}`;
    problems.push({ code: "ERR_POLICY_CAPABILITY", message, file, pointer });
  }
  for (const [key, name, unit] of limitNames) {
    const most = limits[key];
    // What is not limited apart may go on for the whole wall time.
    const amount = asked[key] ?? asked.wallMs;
    if (most === undefined || amount <= most) continue;
    const message = `${step} has the ${name.replace("/", ".")} limit ${amount} ${unit}; the policy allows ${most} ${unit}`;
    problems.push({ code: "ERR_POLICY_LIMIT", message, file, pointer: `/limits/${name}` });
  }
  return problems;
}

/** Throws ERR_POLICY_REFUSED with all that these versions ask for and the policy does not allow. */
export function checkPolicy(policy: Policy | undefined, versions: readonly FunctionVersion[]): void {
  if (policy === undefined) return;
  const problems = versions.flatMap((version) => {
    const definition = define(version);
    return programsOf(definition).flatMap((step) => policyProblems(policy, definition.id, step));
  });
  if (problems.length === 0) return;
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message = `The operator's policy does not allow it: ${first?.message ?? ""}${more}.`;
  throw new MillraceError("ERR_POLICY_REFUSED", message, { problems });
}
