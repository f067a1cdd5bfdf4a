import type { AttemptResult, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { Limits } from "../limits.ts";
import { programOutput } from "../output.ts";
import type { Completion } from "./completions.ts";
import type { Answer } from "./send.ts";

/** Of the body of an answer that is no success, in bytes. */
const told = 2_048;

/** These of 4xx may pass: request timeout, too early, too many requests. */
const passing = new Set([408, 425, 429]);

/** The longest delay that a receiver may ask for, in milliseconds. */
const longestDelayMs = 24 * 3_600_000;

/** How much of an answer's body is wanted. */
export function mostBytes({ outputBytes }: Limits): (status: number) => number {
  return (status) => (isSuccess(status) ? outputBytes : told);
}

/** Reads an answer as the step contract has it: 2xx is done, 4xx failed for good, and all else may be tried again. */
export function answerResult(answer: Answer, url: URL, { outputBytes }: Limits): AttemptResult {
  const { status, headers, body, cut } = answer;
  if (status >= 300 && status < 400) {
    const location = headers["location"] ?? "nowhere";
    const message = `${url.origin} answered ${status}, a redirect to ${String(location)}.`;
    return failed(failure("ERR_HTTP_REDIRECT", message));
  }
  const coding = headers["content-encoding"] ?? "identity";
  if (coding !== "identity") {
    const message = `${url.origin} answered ${status} with a body in ${String(coding)}, which nobody asked for.`;
    return failed(failure("ERR_HTTP_ANSWER", message));
  }
  if (!isSuccess(status)) return failed(refusal(answer, url));
  return cut ? tooLarge(outputBytes) : { ...programOutput(body.toString()), logs: [] };
}

/** Reads what a receiver says later of what it accepted. */
export function completionResult(completion: Completion, { outputBytes }: Limits): AttemptResult {
  if (completion.ok) {
    const { body } = completion;
    if (Buffer.byteLength(body) > outputBytes) return tooLarge(outputBytes);
    return { ...programOutput(body), logs: [] };
  }
  const { message, fatal, retryAfterMs } = completion;
  if (fatal) return failed(failure("ERR_STEP_FATAL", message));
  const delay = retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(retryAfterMs, longestDelayMs) };
  return failed({ ...failure("ERR_STEP_FAILED", message), ...delay });
}

function tooLarge(outputBytes: number): AttemptResult {
  const message = `The step put out more than ${outputBytes} bytes.`;
  return failed(failure("ERR_STEP_OUTPUT_TOO_LARGE", message));
}

function failed(why: StepFailure): AttemptResult {
  return { ok: false, failure: why, logs: [] };
}

function refusal({ status, headers, body, cut }: Answer, url: URL): StepFailure {
  const said = body.toString().toWellFormed().trim();
  const message = `${url.origin} answered ${status}${said === "" ? "." : `: ${said}${cut ? "…" : ""}`}`;
  if (status >= 400 && status < 500 && !passing.has(status)) return failure("ERR_STEP_FATAL", message);
  const delay = delayOf(headers["retry-after"], Date.now());
  return { ...failure("ERR_STEP_FAILED", message), ...(delay !== undefined && { retryAfterMs: delay }) };
}

/** Retry-After (RFC 9110, section 10.2.3): seconds, or a date. */
function delayOf(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== "string") return undefined;
  const delay = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(0, delay), longestDelayMs);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
