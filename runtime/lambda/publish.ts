import { setTimeout as sleep } from "node:timers/promises";
import type * as sdk from "@aws-sdk/client-lambda";
import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { LambdaPlace } from "./api.ts";
import { isEmulator, openSdk, type Load } from "./connect.ts";
import { lambdaFailure } from "./faults.ts";

/** The code that a Lambda function is to have. */
export interface LambdaCode extends LambdaPlace {
  readonly function: string;
  /** Points to the version that is published. */
  readonly alias: string;
  /** Of the archive, in hex. */
  readonly sha256: string;
  /** The archive, a ZIP. */
  zip(): Promise<Uint8Array>;
}

/** How code is published. */
export interface PublishOptions {
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds that Lambda may take to put new code in place; 5 minutes by default. */
  readonly waitMs?: number;
  readonly load?: Load;
}

/** What became of it. */
export type PublishedCode =
  | {
      readonly ok: true;
      /** Whether the function had other code before. */
      readonly changed: boolean;
      /** What exactly is to be invoked: nothing that a dry run could know, nor the emulator, which has one function as it is. */
      readonly pinned?: { readonly function: string; readonly qualifier: string };
    }
  | { readonly ok: false; readonly failure: StepFailure };

/** Lambda may be long at it with a function in a private network. */
const longestWait = 300_000;

/**
 * Gives a Lambda function its code, unless it has it already, publishes a version of it, and points the alias there.
 * Credentials are those of the environment.
 */
export async function publishCode(code: LambdaCode, options: PublishOptions = {}): Promise<PublishedCode> {
  const { region, endpoint } = code;
  const place = { ...(region && { region }), ...(endpoint && { endpoint }) };
  try {
    const opened = await openSdk(place, { sockets: 1, maxAttempts: 3 }, options.load);
    try {
      return await publish(opened, code, options);
    } finally {
      opened.client.destroy();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof Unpublishable) return { ok: false, failure: error.failure };
    const { httpStatusCode, requestId } = (error as Partial<sdk.LambdaServiceException>).$metadata ?? {};
    if (httpStatusCode === 404 && requestId === undefined && isEmulator(place))
      return { ok: true, changed: false };
    return { ok: false, failure: lambdaFailure(error, code.function, "publish the code of") };
  }
}

/** Why code can't be published, found here and not by Lambda. */
class Unpublishable extends Error {
  readonly failure: StepFailure;

  constructor(code: StepFailure["code"], message: string) {
    super(message);
    this.failure = failure(code, message);
  }
}

async function publish(
  { sdk, client }: Awaited<ReturnType<typeof openSdk>>,
  code: LambdaCode,
  { dryRun = false, signal, waitMs = longestWait }: PublishOptions,
): Promise<PublishedCode> {
  const { function: name, alias } = code;
  const sent = { ...(signal && { abortSignal: signal }) };
  const target = { FunctionName: name };
  const digest = Buffer.from(code.sha256, "hex").toString("base64");
  const settled = (qualifier?: string): Promise<sdk.FunctionConfiguration> => {
    const command = new sdk.GetFunctionConfigurationCommand({
      ...target,
      ...(qualifier !== undefined && { Qualifier: qualifier }),
    });
    return untilSettled(() => client.send(command, sent), { name, waitMs, signal });
  };

  // What an earlier push failed with is no concern of this one.
  const before = await settled();
  if (before.PackageType === "Image") {
    const message = `The Lambda function ${name} is made of a container image; a folder can't be its code.`;
    throw new Unpublishable("ERR_LAMBDA_CONFIGURATION", message);
  }
  const changed = before.CodeSha256 !== digest;
  if (dryRun) {
    const found = changed
      ? undefined
      : await findAlias({ sdk, client }, { FunctionName: name, Name: alias }, sent);
    const { FunctionVersion: version } = found ?? {};
    const pinned = version && before.FunctionArn && { function: before.FunctionArn, qualifier: version };
    return { ok: true, changed, ...(pinned && { pinned }) };
  }
  if (changed) {
    const zip = await code.zip();
    await client.send(new sdk.UpdateFunctionCodeCommand({ ...target, ZipFile: zip }), sent);
    checkInPlace(await settled(), name);
  }
  // The digest keeps what another push put there meanwhile from being published for this one.
  const publishing = new sdk.PublishVersionCommand({ ...target, CodeSha256: digest });
  const { Version: version, FunctionArn: arn } = await client.send(publishing, sent);
  if (version === undefined || arn === undefined) throw new TypeError("Lambda named no version");
  checkInPlace(await settled(version), name);
  await pointAlias({ sdk, client }, { FunctionName: name, Name: alias, FunctionVersion: version }, sent);
  return { ok: true, changed, pinned: { function: unqualified(arn, version), qualifier: version } };
}

async function pointAlias(
  { sdk, client }: Awaited<ReturnType<typeof openSdk>>,
  alias: { readonly FunctionName: string; readonly Name: string; readonly FunctionVersion: string },
  sent: { readonly abortSignal?: AbortSignal },
): Promise<void> {
  const { FunctionVersion: version, ...named } = alias;
  const found = await findAlias({ sdk, client }, named, sent);
  if (found === undefined) await client.send(new sdk.CreateAliasCommand(alias), sent);
  else if (found.FunctionVersion !== version) await client.send(new sdk.UpdateAliasCommand(alias), sent);
}

function findAlias(
  { sdk, client }: Awaited<ReturnType<typeof openSdk>>,
  alias: { readonly FunctionName: string; readonly Name: string },
  sent: { readonly abortSignal?: AbortSignal },
): Promise<sdk.AliasConfiguration | undefined> {
  return client.send(new sdk.GetAliasCommand(alias), sent).catch((error: unknown) => {
    if (error instanceof sdk.ResourceNotFoundException) return undefined;
    throw error;
  });
}

/** Waits until Lambda has put in place what a function was last given. */
async function untilSettled(
  look: () => Promise<sdk.FunctionConfiguration>,
  {
    name,
    waitMs,
    signal,
  }: { readonly name: string; readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<sdk.FunctionConfiguration> {
  const start = performance.now();
  for (let delay = 200; ; delay = Math.min(2 * delay, 5_000)) {
    const found = await look();
    if (found.State !== "Pending" && found.LastUpdateStatus !== "InProgress") return found;
    if (performance.now() - start + delay > waitMs) {
      const message = `Lambda is still putting the function ${name} in place after ${waitMs} ms.`;
      throw new Unpublishable("ERR_LAMBDA_UNAVAILABLE", message);
    }
    await sleep(delay, undefined, signal && { signal });
  }
}

function checkInPlace(found: sdk.FunctionConfiguration, name: string): void {
  const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = found;
  if (State !== "Failed" && LastUpdateStatus !== "Failed") return;
  const why = LastUpdateStatusReason ?? StateReason ?? "it does not say why";
  const message = `Lambda could not put the function ${name} in place: ${why}`;
  throw new Unpublishable("ERR_LAMBDA_CONFIGURATION", message);
}

/** An ARN without the version that it ends in. */
function unqualified(arn: string, version: string): string {
  return arn.endsWith(`:${version}`) ? arn.slice(0, -version.length - 1) : arn;
}
