import { createHash, createHmac, randomBytes } from "node:crypto";
import type { Capabilities, Destination } from "./capabilities.ts";
import type { StepFailure } from "./driver.ts";
import { failure } from "./failure.ts";
import type { StepContext } from "./input.ts";

/** The operator's secrets, by name. */
export type Secrets = ReadonlyMap<string, string>;

/** A secret that its step does not see: what it sees, and where that becomes the secret. */
export interface BoundSecret {
  readonly placeholder: string;
  readonly value: string;
  readonly hosts: readonly Destination[];
}

/** What an attempt has of its secrets. */
export interface GivenSecrets {
  /** Variables: values, or placeholders. */
  readonly env: Readonly<Record<string, string>>;
  readonly bound: readonly BoundSecret[];
}

/** So that nobody who knows a run's id can say what a placeholder in it is. */
const processKey = randomBytes(32);

/** The secrets that these capabilities grant; the failure when the operator gave no value for one. */
export function givenSecrets(
  { secrets = {}, seed }: Capabilities,
  values: Secrets,
  ctx: StepContext,
): GivenSecrets | StepFailure {
  const env: Record<string, string> = {};
  const bound: BoundSecret[] = [];
  const missing = missingSecrets({ secrets }, values);
  if (missing.length > 0) return failure("ERR_STEP_SECRET_MISSING", `${missingText(missing)}.`);
  for (const [name, { hosts }] of Object.entries(secrets)) {
    const value = values.get(name) ?? "";
    const placeholder = hosts === undefined ? undefined : placeholderOf(name, ctx, seed);
    env[name] = placeholder ?? value;
    if (hosts !== undefined && placeholder !== undefined) bound.push({ placeholder, value, hosts });
  }
  return { env, bound };
}

/** The names of secrets that these capabilities want and the operator gave no value for. */
export function missingSecrets({ secrets = {} }: Capabilities, values: Secrets): readonly string[] {
  return Object.keys(secrets).filter((name) => !values.has(name));
}

/** What is said of missing secrets, without the stop. */
export function missingText(names: readonly string[]): string {
  const which = names.length === 1 ? "the secret" : "the secrets";
  return `This host has no value for ${which} ${names.join(", ")}`;
}

/** Another one in each attempt. With a seed it is fixed like all else that the step sees. */
function placeholderOf(name: string, { idempotencyKey, attempt }: StepContext, seed?: string): string {
  const text = JSON.stringify([name, idempotencyKey, attempt, seed]);
  const mac = seed === undefined ? createHmac("sha256", processKey) : createHash("sha256");
  return `secret-${name}-${mac.update(text).digest("hex").slice(0, 32)}`;
}
