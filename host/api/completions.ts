import type { FastifyInstance } from "fastify";
import type { Completion } from "../../runtime/http/completions.ts";
import { MillraceError } from "../errors.ts";
import { parseDuration } from "../function/duration.ts";
import type { Host } from "../host.ts";
import { decodeText } from "./decode-body.ts";
import type { ApiSettings } from "./options.ts";
import { readBody } from "./read-body.ts";
import { readJson } from "./read-json.ts";
import { answers } from "./route-schema.ts";
import { object, type Schema } from "./schemas.ts";

const params: Schema = {
  type: "object",
  properties: {
    token: { type: "string", description: "What stands behind the address that the step was given." },
  },
  required: ["token"],
};
const done = object({ status: { type: "integer", const: 200 } });

/** The routes by which receivers of HTTP steps complete what they accepted with 202. The token is the key to them. */
export function addCompletionRoutes(
  app: FastifyInstance,
  host: Pick<Host, "complete">,
  { bodyBytes }: Pick<ApiSettings, "bodyBytes">,
): void {
  const complete = async (token: string, completion: Completion): Promise<{ readonly status: 200 }> => {
    if (await host.complete(token, completion)) return { status: 200 };
    const message = "No attempt waits for this completion: it is over by something else, or there is none.";
    throw new MillraceError("ERR_COMPLETION_UNKNOWN", message);
  };

  app.post<{ Params: { token: string } }>(
    "/v1/completions/:token",
    {
      schema: {
        operationId: "completeStep",
        summary: "Completes a step that its receiver accepted with 202",
        description:
          "The body is the step's output, as that of an answer: JSON, other text, or nothing. The answer comes " +
          "when it is recorded, and the same completion again gets the same answer.",
        tags: ["completions"],
        params,
        response: answers(done, 400, 404, 413, 503),
      },
    },
    async ({ params: { token }, raw }, reply) => {
      const body = decodeText(await readBody(raw, reply.raw, bodyBytes));
      return complete(token, { ok: true, body });
    },
  );

  app.post<{ Params: { token: string } }>(
    "/v1/completions/:token/failure",
    {
      schema: {
        operationId: "failStep",
        summary: "Fails a step that its receiver accepted with 202",
        description:
          'The body is {"message": "…"}; with `"fatal": true` the step is not tried again, and `retryAfter` ' +
          '(milliseconds, or "10s") asks for a delay.',
        tags: ["completions"],
        params,
        response: answers(done, 400, 404, 413, 415, 422, 503),
      },
    },
    async ({ params: { token }, raw }, reply) =>
      complete(token, failureOf(await readJson(raw, reply.raw, bodyBytes))),
  );
}

/** Throws ERR_COMPLETION_INVALID. */
function failureOf(body: unknown): Completion {
  const { message, fatal = false, retryAfter, ...others } = (body ?? {}) as Record<string, unknown>;
  const [stray] = Object.keys(others);
  const delay = typeof retryAfter === "string" ? parseDuration(retryAfter) : retryAfter;
  const isDelay = delay === undefined || (typeof delay === "number" && delay >= 0);
  if (typeof message !== "string") throw invalid("`message` is missing, or no text");
  if (typeof fatal !== "boolean") throw invalid("`fatal` is neither true nor false");
  if (!isDelay || (retryAfter !== undefined && delay === undefined)) {
    throw invalid('`retryAfter` is neither a number of milliseconds nor a duration such as "10s"');
  }
  if (stray !== undefined) throw invalid(`there is no property ${JSON.stringify(stray)}`);
  return { ok: false, message, fatal, ...(delay !== undefined && { retryAfterMs: delay }) };
}

function invalid(why: string): MillraceError {
  return new MillraceError("ERR_COMPLETION_INVALID", `The failure can't be taken: ${why}.`);
}
