import type { Capabilities } from "../capabilities.ts";
import { withoutSecrets, withSecrets } from "../egress/bound-secrets.ts";
import { createEgress, type Egress } from "../egress/egress.ts";
import type { Resolver } from "../egress/guarded-lookup.ts";
import type { KeyValues } from "../key-values.ts";
import type { Limits } from "../limits.ts";
import type { BoundSecret } from "../secrets.ts";
import type { HostAnswer, HostCall, HostCalls, WithBytes } from "./calls.ts";
import { createKeyValueCalls, type KeyValueCalls } from "./key-value-calls.ts";

/** What stands behind the calls of attempts. */
export interface HostServices {
  /** Without one, a step with `kv` is denied it. */
  readonly keyValues?: KeyValues;
  /** In place of the operating system's. */
  readonly resolve?: Resolver;
  /** PEM: certificates that sign servers, in place of those that Node knows. */
  readonly ca?: string;
}

/** The calls of one attempt, and what they hold. */
export interface OpenCalls {
  readonly calls: HostCalls;
  /** Once the attempt has ended: what is under way ends. */
  close(): Promise<void>;
}

interface CallOptions {
  readonly capabilities: Capabilities;
  readonly limits: Limits;
  readonly functionId: string;
  readonly secrets: readonly BoundSecret[];
}

type Call<Op extends HostCall["op"]> = HostCall & { readonly op: Op };

/** What answers the imports of one attempt; undefined when none of its capabilities needs the host. */
export function openHostCalls(
  services: HostServices,
  { capabilities: { http, kv }, limits, functionId, secrets }: CallOptions,
): OpenCalls | undefined {
  if (http === undefined && kv === undefined) return undefined;
  const { keyValues, resolve, ca } = services;
  const egress =
    http &&
    createEgress({
      grants: http,
      bodyBytes: limits.httpBodyBytes,
      outgoing: (headers, target) => withSecrets(headers, target, secrets),
      ...(resolve && { resolve }),
      ...(ca !== undefined && { ca }),
    });
  const sendHttp = egress && httpCalls(egress, limits, secrets);
  const keyed =
    kv === undefined || keyValues === undefined ? denied : createKeyValueCalls(keyValues, functionId);
  return {
    calls: ({ head, bytes }, signal) => {
      if (head.op !== "http") return keyed({ head, ...(bytes && { bytes }) }, signal);
      return sendHttp?.(head, bytes, signal) ?? Promise.resolve(refused);
    },
    close: async () => egress?.close(),
  };
}

const refused: WithBytes<HostAnswer> = { head: { kind: "http-error", code: "HTTP-request-denied" } };
const denied: KeyValueCalls = () => Promise.resolve({ head: { kind: "kv-error", code: "access-denied" } });

function httpCalls(
  egress: Egress,
  { httpConcurrent, httpBodyBytes }: Limits,
  secrets: readonly BoundSecret[],
): (call: Call<"http">, body: Uint8Array | undefined, signal: AbortSignal) => Promise<WithBytes<HostAnswer>> {
  let underWay = 0;
  return async (request, body, signal) => {
    if (underWay === httpConcurrent) {
      return breach(
        "ERR_STEP_HTTP_REQUESTS",
        `The attempt had ${underWay + 1} HTTP requests under way at once, over the limit of ${httpConcurrent}.`,
      );
    }
    underWay++;
    const outcome = await egress.send({ ...request, ...(body && { body }) }, signal);
    underWay--;
    if (outcome.ok) {
      const { status, headers, body: bytes } = withoutSecrets(outcome.response, secrets);
      return { head: { kind: "response", status, headers }, bytes };
    }
    if ("refusal" in outcome) {
      const { code, message } = outcome.refusal;
      return { head: { kind: "http-error", code, detail: message } };
    }
    const { tooLarge, bytes } = outcome;
    const what = `The body of an HTTP ${tooLarge} had ${bytes} bytes or more`;
    return breach("ERR_STEP_HTTP_TOO_LARGE", `${what}, over the limit of ${httpBodyBytes}.`);
  };
}

function breach(
  code: "ERR_STEP_HTTP_REQUESTS" | "ERR_STEP_HTTP_TOO_LARGE",
  message: string,
): WithBytes<HostAnswer> {
  return { head: { kind: "breach", code, message } };
}
