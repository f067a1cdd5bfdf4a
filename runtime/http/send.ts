import type { Dispatcher } from "undici";
import type { HttpGrant } from "../capabilities.ts";
import type { StepFailure } from "../driver.ts";
import { checkLiteral } from "../egress/guarded-lookup.ts";
import { type EgressRefusal, type HttpErrorCode, refusalOf } from "../egress/refusal.ts";
import { grantsFor, parseTarget } from "../egress/target.ts";
import type { RuntimeErrorCode } from "../errors.ts";
import { failure } from "../failure.ts";
import type { Connections } from "./connections.ts";

/** What a receiver answered: as much of its body as was asked for. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** There was more of it. */
  readonly cut: boolean;
}

/** What is sent, and where to. */
interface Request {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly grants: readonly HttpGrant[];
  /** How much of the answer's body is read, in bytes, by its status. */
  readonly mostBytes: (status: number) => number;
}

/** Posts a body to where the grants allow; why there is no answer, else. Rejects with the signal's reason. */
export async function send(
  connections: Connections,
  request: Request,
  signal: AbortSignal,
): Promise<Answer | StepFailure> {
  const { url, grants, headers, body } = request;
  try {
    const scheme = url.protocol === "https:" ? "https" : "http";
    const path = url.pathname + url.search;
    const target = parseTarget({ scheme, authority: url.host, path, method: "POST" });
    const granting = grantsFor(grants, target);
    if (granting.length === 0) return failure("ERR_HTTP_URL", `The step was not granted ${url.origin}.`);
    const mayBePrivate = granting.some((grant) => grant.private);
    checkLiteral(target.host, mayBePrivate);
    const dispatcher = await connections.for(mayBePrivate);
    const options = { origin: url.origin, path, method: "POST", headers, body, signal } as const;
    return await read(await dispatcher.request(options), request.mostBytes);
  } catch (error) {
    signal.throwIfAborted();
    return unanswered(url, refusalOf(error, false));
  }
}

async function read(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  mostBytes: (status: number) => number,
): Promise<Answer> {
  const most = mostBytes(status);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    chunks.push(chunk);
    // Leaving the loop ends the stream.
    if (length > most) return { status, headers, body: Buffer.concat(chunks).subarray(0, most), cut: true };
  }
  return { status, headers, body: Buffer.concat(chunks), cut: false };
}

/** The codes of what is not merely a receiver that is out of reach. */
const codes: Readonly<Partial<Record<HttpErrorCode, RuntimeErrorCode>>> = {
  "TLS-protocol-error": "ERR_HTTP_TLS",
  "TLS-certificate-error": "ERR_HTTP_TLS",
  "HTTP-request-denied": "ERR_HTTP_URL",
  "HTTP-request-URI-invalid": "ERR_HTTP_URL",
  "HTTP-request-URI-too-long": "ERR_HTTP_URL",
  "destination-IP-prohibited": "ERR_HTTP_URL",
  "HTTP-protocol-error": "ERR_HTTP_ANSWER",
  "HTTP-response-header-section-size": "ERR_HTTP_ANSWER",
};

function unanswered({ origin }: URL, { code, message }: EgressRefusal): StepFailure {
  const said = message.replace(/\.$/, "");
  return failure(codes[code] ?? "ERR_HTTP_UNREACHABLE", `${origin} could not be called: ${said}.`);
}
