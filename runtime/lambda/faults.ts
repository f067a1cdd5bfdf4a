import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { PackageMissing } from "./connect.ts";
import type { lambdaErrors } from "./errors.ts";
import { functionTitle, type LambdaOptions } from "./options.ts";

type Code = keyof typeof lambdaErrors;

/** What the SDK throws: a service's exception with AWS's answer, or whatever kept the request from getting one. */
interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  /** Of an answer with Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Why an invocation was throttled. */
  readonly Reason?: string;
}

/** Exceptions by the reference of Lambda's Invoke and AWS's common errors, where the status alone says too little. */
const codes: Readonly<Record<string, Code>> = {
  ...named("ERR_LAMBDA_CREDENTIALS", [
    "CredentialsProviderError",
    "TokenProviderError",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
  ]),
  ...named("ERR_LAMBDA_ACCESS", ["AccessDenied", "AccessDeniedException", "OptInRequired"]),
  ...named("ERR_LAMBDA_FUNCTION", ["ResourceNotFoundException", "NoPublishedVersionException"]),
  ...named("ERR_LAMBDA_CONFIGURATION", [
    "CodeArtifactUserDeletedException",
    "CodeArtifactUserFailedException",
    "EC2AccessDeniedException",
    "EFSMountFailureException",
    "InvalidRuntimeException",
    "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException",
    "InvalidZipFileException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "ModeNotSupportedException",
    "S3FilesMountFailureException",
    "SnapStartException",
  ]),
  ...named("ERR_LAMBDA_PAYLOAD", ["RequestTooLargeException", "SerializedRequestEntityTooLargeException"]),
  ...named("ERR_LAMBDA_THROTTLED", [
    "EC2ThrottledException",
    "ServiceQuotaExceededException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
  ]),
  ...named("ERR_LAMBDA_UNAVAILABLE", [
    "CodeArtifactUserPendingException",
    "EFSIOException",
    "EFSMountConnectivityException",
    "EFSMountTimeoutException",
    "ResourceConflictException",
    "S3FilesMountConnectivityException",
    "S3FilesMountTimeoutException",
    "SnapStartNotReadyException",
    "SnapStartRegenerationFailureException",
    "SnapStartTimeoutException",
  ]),
};

/** The failure of an attempt for which Lambda gave no function's answer. */
export function invocationFailure(thrown: unknown, options: LambdaOptions): StepFailure {
  return lambdaFailure(thrown, functionTitle(options), "invoke");
}

/** The failure of anything that was asked of Lambda. `title`: the function's; `deed`: what Lambda was to do with it. */
export function lambdaFailure(thrown: unknown, title: string, deed: string): StepFailure {
  const error = thrown as SdkError;
  if (error instanceof PackageMissing) {
    return failure("ERR_LAMBDA_PACKAGE", `The step can't be run: ${error.message}.`);
  }
  if (error.message === "Region is missing") {
    return failure("ERR_LAMBDA_CREDENTIALS", `It is not known in which region ${title} is.`);
  }
  const status = error.$metadata?.httpStatusCode;
  const code = codes[error.name] ?? (status === undefined ? undefined : codeOfStatus(status));
  if (code === undefined) return connectionFailure(error, title, deed);
  const { retryAfterSeconds: after } = error;
  const told = failure(code, `Lambda did not ${deed} ${title}: ${sayings(error, code)}`);
  return told.retry && after !== undefined ? { ...told, retryAfterMs: after * 1000 } : told;
}

function named(code: Code, names: readonly string[]): Readonly<Record<string, Code>> {
  return Object.fromEntries(names.map((name) => [name, code]));
}

function codeOfStatus(status: number): Code {
  if (status === 429) return "ERR_LAMBDA_THROTTLED";
  if (status === 413) return "ERR_LAMBDA_PAYLOAD";
  if (status === 404) return "ERR_LAMBDA_FUNCTION";
  return status >= 500 || status === 408 ? "ERR_LAMBDA_UNAVAILABLE" : "ERR_LAMBDA_REFUSED";
}

/** What AWS says of it. A refused signature's message may repeat the request's headers, and a session's token among them. */
function sayings(error: SdkError, code: Code): string {
  const { name, message, Reason, $metadata } = error;
  const request = $metadata?.requestId === undefined ? "" : ` (request ${$metadata.requestId})`;
  // What is no answer of AWS's service, but of something on the way to it, makes the SDK throw on its text.
  const isException = error.name !== "SyntaxError" && message !== "UnknownError";
  const status = `HTTP status ${String($metadata?.httpStatusCode)}`;
  if (!isException) return `${status}${request}.`;
  if (code === "ERR_LAMBDA_CREDENTIALS" && $metadata?.httpStatusCode !== undefined)
    return `${name}${request}.`;
  const reason = Reason === undefined ? "" : ` ${Reason}.`;
  return `${name}: ${message}${reason}${request}`;
}

function connectionFailure({ code, name, message }: SdkError, title: string, deed: string): StepFailure {
  if (code === undefined && name !== "TimeoutError") {
    return failure("ERR_LAMBDA_REFUSED", `Lambda was not asked to ${deed} ${title}: ${message}`);
  }
  const hint = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code ?? "")
    ? " The certificate is not trusted: NODE_EXTRA_CA_CERTS names more authorities."
    : "";
  return failure("ERR_LAMBDA_UNREACHABLE", `No answer from Lambda for ${title}: ${message}.${hint}`);
}
