import { lambdaOptions } from "../../../runtime/lambda/options.ts";
import { publishCode, type PublishedCode } from "../../../runtime/lambda/publish.ts";
import type { BuiltFunction } from "../../build/build.ts";
import type { Artifact } from "../../build/packer.ts";
import type { Problem } from "../../errors.ts";
import { runtimeOf } from "../../function/define.ts";
import type { PinnedOptions } from "../../function/version.ts";
import { pointerOf } from "../../json-pointer.ts";
import { CliError } from "../errors.ts";

/** Code that was published, or with a dry run would be. */
export interface PublishedStep {
  /** The Lambda function. */
  readonly function: string;
  /** Its version; absent for a dry run, and on the emulator. */
  readonly version?: string;
  /** Whether it had other code before. */
  readonly changed: boolean;
}

/** What publishing gave. */
export interface PublishedSteps {
  readonly published: readonly PublishedStep[];
  /** What is fixed in the versions of functions, by their ids. */
  readonly pinned: ReadonlyMap<string, PinnedOptions>;
}

/** How to publish. */
export interface PublishSteps {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** How files are named. */
  readonly display: (file: string) => string;
}

/** A step whose code is to be published. */
interface CodeStep {
  readonly functionId: string;
  readonly stepId: string;
  readonly artifact: Artifact;
  readonly target: Exclude<ReturnType<typeof lambdaOptions>, { readonly code: string }>;
  readonly place: Pick<Problem, "file" | "pointer">;
}

/** The alias of a step that names none. */
const defaultAlias = "millrace";

/**
 * Publishes the code of all steps that run elsewhere, each Lambda function once. Throws ERR_PUSH_CODE with a problem
 * for each that could not be; what was published before stays, as versions that no run has begun on.
 */
export async function publishSteps(
  functions: readonly BuiltFunction[],
  { dryRun, signal, display }: PublishSteps,
): Promise<PublishedSteps> {
  const steps = functions.flatMap((built) => codeSteps(built, display));
  const problems: Problem[] = [];
  const published: PublishedStep[] = [];
  const pins = new Map<string, Record<string, NonNullable<Pinned>>>();
  for (const same of Map.groupBy(steps, ({ target }) => keyOf(target)).values()) {
    const [first, ...others] = same;
    if (first === undefined) continue;
    const conflicts = others.filter((other) => other.artifact.sha256 !== first.artifact.sha256);
    problems.push(...conflicts.map((other) => conflict(first, other)));
    if (conflicts.length > 0) continue;
    const result = await publish(first, { dryRun, signal });
    if (!result.ok) {
      const { code, message } = result.failure;
      problems.push({ code, message, ...first.place });
      continue;
    }
    const { changed, pinned } = result;
    published.push({
      function: first.target.function,
      ...(pinned && { version: pinned.qualifier }),
      changed,
    });
    if (pinned === undefined) continue;
    for (const { functionId, stepId } of same) {
      pins.set(functionId, { ...pins.get(functionId), [stepId]: pinned });
    }
  }
  if (problems.length === 0) return { published, pinned: pins };
  const message = `The code of ${problems.length === 1 ? "a step" : `${problems.length} steps`} could not be published.`;
  throw new CliError("ERR_PUSH_CODE", message, { problems });
}

type Pinned = Extract<PublishedCode, { readonly ok: true }>["pinned"];

function codeSteps(
  { document, file, code }: BuiltFunction,
  display: PublishSteps["display"],
): readonly CodeStep[] {
  return Object.entries(code).map(([stepId, artifact]) => {
    const runtime = runtimeOf(document.id, stepId, document.steps[stepId] ?? {});
    const target = lambdaOptions({ runtime });
    const place = { file: display(file), pointer: pointerOf(["steps", stepId]) };
    if (!("code" in target)) return { functionId: document.id, stepId, artifact, target, place };
    const { code: reason, message } = target;
    throw new CliError("ERR_PUSH_CODE", message, { problems: [{ code: reason, message, ...place }] });
  });
}

function keyOf({ function: name, region, endpoint }: CodeStep["target"]): string {
  return JSON.stringify([name, region, endpoint]);
}

function publish(
  { target, artifact }: CodeStep,
  options: Omit<PublishSteps, "display">,
): Promise<PublishedCode> {
  const { qualifier = defaultAlias, fatal: _, ...place } = target;
  const code = { ...place, alias: qualifier, sha256: artifact.sha256, zip: () => artifact.bytes() };
  return publishCode(code, options);
}

function conflict(first: CodeStep, other: CodeStep): Problem {
  const [one, two] = [first, other].map(({ functionId, stepId }) => `step ${stepId} of ${functionId}`);
  const message = `the ${two} would give the Lambda function ${other.target.function} other code than the ${one}`;
  return { code: "ERR_LAMBDA_OPTIONS", message, ...other.place };
}
