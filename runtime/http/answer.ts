import type { AttemptResult, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { Limits } from "../limits.ts";
import { programOutput } from "../output.ts";
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
  if (cut) {
    const message = `The step put out more than ${outputBytes} bytes.`;
    return failed(failure("ERR_STEP_OUTPUT_TOO_LARGE", message));
  }
  return { ...programOutput(body.toString()), logs: [] };
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
