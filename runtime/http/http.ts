import type { Attempt, AttemptResult, Driver, StepFailure, StepProgram } from "../driver.ts";
import type { Resolver } from "../egress/guarded-lookup.ts";
import { failure } from "../failure.ts";
import type { StepContext } from "../input.ts";
import { missingSecrets, missingText, type Secrets } from "../secrets.ts";
import { createTurns } from "../turns.ts";
import { answerResult, completionResult, mostBytes } from "./answer.ts";
import type { Completions } from "./completions.ts";
import { createConnections } from "./connections.ts";
import { type HttpOptions, httpOptions } from "./options.ts";
import { send } from "./send.ts";
import { signedHeaders } from "./sign.ts";
import { givenHeaders } from "./step-headers.ts";

/** What the driver is created with. */
export interface HttpDriverOptions {
  /** Requests at once; 100 by default, since they wait and do not compute here. */
  readonly parallelism?: number;
  /** The operator's, which requests are signed with; none by default. */
  readonly secrets?: Secrets;
  /** How receivers complete later what they accepted with 202; without it they can't. */
  readonly completions?: Completions;
  /** How receivers are found and trusted; as the operating system and Node do by default. */
  readonly services?: { readonly resolve?: Resolver; readonly ca?: string };
}

/** Executes steps that are HTTP endpoints: the input is posted to them, signed, and what they answer is the output. */
export function createHttpDriver(options: HttpDriverOptions = {}): Driver {
  const { parallelism = 100, secrets = new Map(), completions, services: { resolve, ca } = {} } = options;
  const connections = createConnections({
    most: parallelism,
    ...(resolve && { resolve }),
    ...(ca !== undefined && { ca }),
  });
  const turns = createTurns(parallelism);
  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  /** Resolves when it has ended, however. */
  const track = async (what: Promise<unknown>): Promise<void> => {
    underWay.add(what);
    await what.catch(() => undefined);
    underWay.delete(what);
  };

  /** Posts the input, and waits for what the receiver says then or later. Rejects when the signal is aborted. */
  const ask = async (
    { program, input, limits }: Attempt,
    { url, secret, headers: asked }: HttpOptions,
    { signal, endTurn, outlasts }: Course,
  ): Promise<AttemptResult> => {
    const more = givenHeaders(asked, secrets);
    if ("code" in more) return failed(more);
    const later = completions && (await unlessAborted(completions.open(input.ctx), signal));
    try {
      const body = JSON.stringify(input);
      const headers = requestHeaders(input.ctx, body, {
        secret: secrets.get(secret ?? ""),
        callback: later?.url,
        more: more.headers,
      });
      const grants = program.capabilities?.http ?? [];
      const request = { url, headers, body, grants, mostBytes: mostBytes(limits) };
      const answering = send(connections, request, signal);
      const first = await (later === undefined ? answering : Promise.race([answering, later.completed]));
      if ("ok" in first) {
        // It may want to hear that this is recorded before it answers.
        outlasts(answering);
        return { ...completionResult(first, limits), ...(later && { completion: later.id }) };
      }
      if ("code" in first) return failed(first);
      if (first.status !== 202) return answerResult(first, url, limits);
      if (later === undefined) return failed(noCallback(url));
      // Nothing of it is here meanwhile.
      endTurn();
      const completed = await unlessAborted(later.completed, signal);
      return { ...completionResult(completed, limits), completion: later.id };
    } finally {
      later?.close();
    }
  };

  const execute = async (attempt: Attempt): Promise<AttemptResult> => {
    const { program, limits, signal: own } = attempt;
    const target = httpOptions(program);
    if ("code" in target) return failed(target);
    const unsigned = missing(program, secrets);
    if (unsigned !== undefined) return failed(unsigned);
    const ended = AbortSignal.any([closing.signal, ...(own === undefined ? [] : [own])]);
    const release = await turns.take(ended);
    if (release === undefined) return failed(cancelled());
    const endTurn = once(release);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limits.wallMs);
    let rest: Promise<unknown> = Promise.resolve();
    const outlasts = (answering: Promise<unknown>): void => void (rest = track(answering));
    try {
      const signal = AbortSignal.any([ended, late.signal]);
      return await ask(attempt, target, { signal, endTurn, outlasts });
    } catch (error) {
      if (ended.aborted) return failed(cancelled());
      if (!late.signal.aborted) throw error;
      return failed(failure("ERR_STEP_TIMEOUT", `The attempt took longer than ${limits.wallMs} ms.`));
    } finally {
      void rest.finally(() => clearTimeout(timer));
      endTurn();
    }
  };

  return {
    name: "http",
    async prepare(program) {
      const target = httpOptions(program);
      return "code" in target ? target : missing(program, secrets);
    },
    execute(attempt) {
      const result = execute(attempt);
      void track(result);
      return result;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
      await connections.close();
    },
  };
}

/** What an attempt's request is made in. */
interface Course {
  /** Aborted when the attempt's time is over, or it is ended. */
  readonly signal: AbortSignal;
  /** Another attempt may have its place. */
  readonly endTurn: () => void;
  /** The attempt has its result, and its receiver still has the time to answer. */
  readonly outlasts: (answering: Promise<unknown>) => void;
}

interface HeaderParts {
  readonly secret: string | undefined;
  readonly callback: string | undefined;
  /** What the document asks for. */
  readonly more: Readonly<Record<string, string>>;
}

function requestHeaders(
  { idempotencyKey, traceparent }: StepContext,
  body: string,
  { secret, callback, more }: HeaderParts,
): Readonly<Record<string, string>> {
  return {
    accept: "application/json, text/plain;q=0.9, */*;q=0.1",
    "user-agent": "millrace",
    ...more,
    "content-type": "application/json",
    "accept-encoding": "identity",
    "idempotency-key": idempotencyKey,
    ...(traceparent !== undefined && { traceparent }),
    ...(callback !== undefined && { "millrace-callback": callback }),
    ...signedHeaders(idempotencyKey, Date.now(), body, secret),
  };
}

function missing({ capabilities = {} }: StepProgram, secrets: Secrets): StepFailure | undefined {
  const names = missingSecrets(capabilities, secrets);
  return names.length === 0 ? undefined : failure("ERR_STEP_SECRET_MISSING", `${missingText(names)}.`);
}

function noCallback({ origin }: URL): StepFailure {
  const message = `${origin} answered 202, to complete the step later, and this host has no address for that.`;
  return failure("ERR_HTTP_CALLBACK", message);
}

/** Rejects when the signal aborts. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

function failed(why: StepFailure): AttemptResult {
  return { ok: false, failure: why, logs: [] };
}

function cancelled(): StepFailure {
  return failure("ERR_STEP_CANCELLED", "The attempt was ended. Its receiver may go on with it.");
}
