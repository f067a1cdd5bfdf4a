import type { Attempt, AttemptResult, Driver, StepFailure, StepProgram } from "../driver.ts";
import type { Resolver } from "../egress/guarded-lookup.ts";
import { failure } from "../failure.ts";
import type { StepContext } from "../input.ts";
import { missingSecrets, missingText, type Secrets } from "../secrets.ts";
import { createTurns } from "../turns.ts";
import { answerResult, mostBytes } from "./answer.ts";
import { createConnections } from "./connections.ts";
import { httpOptions } from "./options.ts";
import { send } from "./send.ts";
import { signedHeaders } from "./sign.ts";

/** What the driver is created with. */
export interface HttpDriverOptions {
  /** Requests at once; 100 by default, since they wait and do not compute here. */
  readonly parallelism?: number;
  /** The operator's, which requests are signed with; none by default. */
  readonly secrets?: Secrets;
  /** How receivers are found and trusted; as the operating system and Node do by default. */
  readonly services?: { readonly resolve?: Resolver; readonly ca?: string };
}

/** Executes steps that are HTTP endpoints: the input is posted to them, signed, and what they answer is the output. */
export function createHttpDriver(options: HttpDriverOptions = {}): Driver {
  const { parallelism = 100, secrets = new Map(), services: { resolve, ca } = {} } = options;
  const connections = createConnections({
    most: parallelism,
    ...(resolve && { resolve }),
    ...(ca !== undefined && { ca }),
  });
  const turns = createTurns(parallelism);
  const closing = new AbortController();
  const underWay = new Set<Promise<AttemptResult>>();

  const execute = async (attempt: Attempt): Promise<AttemptResult> => {
    const { program, input, limits, signal: own } = attempt;
    const target = httpOptions(program);
    if ("code" in target) return failed(target);
    const unsigned = missing(program, secrets);
    if (unsigned !== undefined) return failed(unsigned);
    const ended = AbortSignal.any([closing.signal, ...(own === undefined ? [] : [own])]);
    const endTurn = await turns.take(ended);
    if (endTurn === undefined) return failed(cancelled());
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limits.wallMs);
    try {
      const body = JSON.stringify(input);
      const headers = requestHeaders(input.ctx, body, secrets.get(target.secret ?? ""));
      const grants = program.capabilities?.http ?? [];
      const request = { url: target.url, headers, body, grants, mostBytes: mostBytes(limits) };
      const answer = await send(connections, request, AbortSignal.any([ended, late.signal]));
      return "code" in answer ? failed(answer) : answerResult(answer, target.url, limits);
    } catch (error) {
      if (ended.aborted) return failed(cancelled());
      if (!late.signal.aborted) throw error;
      return failed(failure("ERR_STEP_TIMEOUT", `The attempt took longer than ${limits.wallMs} ms.`));
    } finally {
      clearTimeout(timer);
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
      underWay.add(result);
      return result.finally(() => underWay.delete(result));
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
      await connections.close();
    },
  };
}

function requestHeaders(
  { idempotencyKey, traceparent }: StepContext,
  body: string,
  secret: string | undefined,
): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/plain;q=0.9, */*;q=0.1",
    "accept-encoding": "identity",
    "user-agent": "millrace",
    "idempotency-key": idempotencyKey,
    ...(traceparent !== undefined && { traceparent }),
    ...signedHeaders(idempotencyKey, Date.now(), body, secret),
  };
}

function missing({ capabilities = {} }: StepProgram, secrets: Secrets): StepFailure | undefined {
  const names = missingSecrets(capabilities, secrets);
  return names.length === 0 ? undefined : failure("ERR_STEP_SECRET_MISSING", `${missingText(names)}.`);
}

function failed(why: StepFailure): AttemptResult {
  return { ok: false, failure: why, logs: [] };
}

function cancelled(): StepFailure {
  return failure("ERR_STEP_CANCELLED", "The attempt was ended. Its receiver may go on with it.");
}
