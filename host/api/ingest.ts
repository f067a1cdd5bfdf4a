import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError, type Problem } from "../errors.ts";
import {
  cloudEventProblem,
  isJsonType,
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  type ParsedCloudEvent,
} from "../event/cloudevents.ts";
import { isTraceparent } from "../event/traceparent.ts";
import type { Host } from "../host.ts";
import { acceptedCodings, decodeText, decompressBody, parseJson } from "./decode-body.ts";
import { adaptProblems, type SentEvents } from "./event-problems.ts";
import { eventKeyGuard } from "./guards.ts";
import type { ApiSettings } from "./options.ts";
import { readBody } from "./read-body.ts";
import { answers } from "./route-schema.ts";
import { ref } from "./schemas.ts";

/** How a request carries its events. */
type Form = "plain" | "binary" | "structured" | "batch";

/** The route that takes events. */
export function addIngestRoute(
  app: FastifyInstance,
  host: Pick<Host, "publish">,
  { eventKeys, bodyBytes }: Pick<ApiSettings, "eventKeys" | "bodyBytes">,
): void {
  app.post(
    "/e/:key",
    {
      schema: {
        operationId: "sendEvents",
        summary: "Sends one event, or up to 5,000",
        description:
          "Answers once all events are durable; all are taken or none. CloudEvents are taken in all three modes: a " +
          "request with the header ce-specversion carries one in binary mode. The body may be compressed " +
          `(${acceptedCodings}) and is at most ${bodyBytes} bytes, also once decompressed.`,
        tags: ["events"],
        params: {
          type: "object",
          properties: { key: { type: "string", description: "An event key." } },
          required: ["key"],
        },
        response: answers(ref("Accepted"), 400, 401, 413, 415, 422, 503, 507),
      },
      ...(eventKeys === "any" ? {} : { onRequest: eventKeyGuard(eventKeys) }),
    },
    async ({ raw }, reply) => {
      const form = formOf(raw.headers);
      const body = await readBytes(raw, reply, bodyBytes);
      const events = form === "plain" ? plainEvents(body, raw.headers) : cloudEvents(form, body, raw.headers);
      try {
        const published = await host.publish(events.inputs);
        return { ids: published.map(({ id }) => id), status: 200 };
      } catch (error) {
        throw adaptProblems(error, events);
      }
    },
  );
}

function formOf(headers: IncomingHttpHeaders): Form {
  const type = headers["content-type"] ?? "";
  const essence = (type.split(";", 1)[0] ?? "").trim().toLowerCase();
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8" && charset !== "us-ascii") {
    throw new MillraceError(
      "ERR_BODY_ENCODING",
      `The body is said to be in ${charset}; only UTF-8 is taken.`,
    );
  }
  if (essence === "application/cloudevents+json") return "structured";
  if (essence === "application/cloudevents-batch+json") return "batch";
  if (essence.startsWith("application/cloudevents")) {
    throw new MillraceError("ERR_BODY_TYPE", `CloudEvents are taken in JSON, not as ${essence}.`);
  }
  if (headers["ce-specversion"] !== undefined) return "binary";
  if (isJsonType(type)) return "plain";
  const said = essence === "" ? "The request has no Content-Type" : `The Content-Type is ${essence}`;
  throw new MillraceError("ERR_BODY_TYPE", `${said}; events are taken as application/json.`);
}

async function readBytes(raw: FastifyRequest["raw"], reply: FastifyReply, limit: number): Promise<Buffer> {
  const body = await readBody(raw, reply.raw, limit);
  const coding = raw.headers["content-encoding"];
  if (coding === undefined) return body;
  try {
    return await decompressBody(body, coding, limit);
  } catch (error) {
    void reply.header("accept-encoding", acceptedCodings);
    throw error;
  }
}

function plainEvents(body: Buffer, headers: IncomingHttpHeaders): SentEvents {
  const value = parseJson(decodeText(body));
  const single = !Array.isArray(value);
  const inputs: readonly unknown[] = single ? [value] : (value as unknown[]);
  if (typeof headers["traceparent"] === "string") addTrace(inputs, headers["traceparent"]);
  return { inputs, single, adapt: undefined };
}

/** The sender's trace goes on in its events, where they name none of their own (W3C Trace Context). */
function addTrace(inputs: readonly unknown[], traceparent: string): void {
  if (!isTraceparent(traceparent)) return;
  for (const input of inputs) {
    if (typeof input !== "object" || input === null || Array.isArray(input)) continue;
    (input as { traceparent?: unknown }).traceparent ??= traceparent;
  }
}

function cloudEvents(form: Exclude<Form, "plain">, body: Buffer, headers: IncomingHttpHeaders): SentEvents {
  let parsed: readonly ParsedCloudEvent[];
  if (form === "binary") {
    // Data of another type is not read as JSON: the header's problem tells more than that of the body would.
    const type = headers["content-type"];
    const readable = type === undefined || isJsonType(type);
    const data = body.length === 0 ? undefined : { value: readable ? parseJson(decodeText(body)) : body };
    parsed = [parseBinaryCloudEvent(headers, data)];
  } else {
    const value = parseJson(decodeText(body));
    if (form === "structured") parsed = [parseStructuredCloudEvent(value)];
    else if (Array.isArray(value))
      parsed = value.map((one, index) => parseStructuredCloudEvent(one, `/${index}`));
    else
      throw invalidCloudEvents([
        { code: "ERR_CLOUDEVENT_INVALID", message: "a batch must be an array", pointer: "" },
      ]);
  }
  const problems = parsed.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw invalidCloudEvents(problems);
  const mode = form === "binary" ? "binary" : "json";
  return {
    inputs: parsed.map((one) => (one.ok ? one.input : undefined)),
    single: form !== "batch",
    adapt: (problem, base) => cloudEventProblem(problem, base, mode),
  };
}

function invalidCloudEvents(problems: readonly Problem[]): MillraceError {
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new MillraceError(
    "ERR_CLOUDEVENT_INVALID",
    `${problems[0]?.message ?? "Not a CloudEvent"}${more}.`,
    {
      problems,
    },
  );
}
