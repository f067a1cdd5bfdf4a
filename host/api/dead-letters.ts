import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import { checkJsonType } from "./read-json.ts";
import { answers, pageQuery } from "./route-schema.ts";
import { listOf, object, ref, type Schema } from "./schemas.ts";

const params: Schema = {
  type: "object",
  properties: { seq: { type: "integer", minimum: 1, description: "Its number." } },
  required: ["seq"],
};

/** The routes that read dead letters and decide on them. */
export function addDeadLetterRoutes(app: FastifyInstance, host: Pick<Host, "deadLetters" | "ready">): void {
  const { deadLetters } = host;

  app.get<{ Querystring: { cursor?: string; limit: number } }>(
    "/v1/dead-letters",
    {
      schema: {
        operationId: "listDeadLetters",
        summary: "Messages on the broker that are no events, the oldest first",
        tags: ["dead letters"],
        querystring: pageQuery({}),
        response: answers(
          object({
            deadLetters: listOf(ref("DeadLetter")),
            total: { type: "integer", description: "How many there are in all." },
            "next?": { type: "string" },
          }),
          400,
        ),
      },
    },
    async ({ query: { cursor, limit } }) => {
      const [found, total] = await Promise.all([
        deadLetters.list({ afterSeq: Number(cursor ?? 0), limit: limit + 1 }),
        deadLetters.count(),
      ]);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        deadLetters: page,
        total,
        ...(found.length > limit && last !== undefined ? { next: String(last.seq) } : {}),
      };
    },
  );

  app.get<{ Params: { seq: number } }>(
    "/v1/dead-letters/:seq",
    {
      schema: {
        operationId: "getDeadLetter",
        summary: "One message that is no event: why, and as it was published",
        tags: ["dead letters"],
        params,
        response: answers(ref("DeadLetter"), 400, 404),
      },
    },
    async ({ params: { seq } }) => (await deadLetters.get(seq)) ?? unknown(seq),
  );

  app.delete<{ Params: { seq: number } }>(
    "/v1/dead-letters/:seq",
    {
      schema: {
        operationId: "discardDeadLetter",
        summary: "Takes a message that is no event off the list, for good",
        tags: ["dead letters"],
        params,
        response: answers(object({ seq: { type: "integer" } }), 400, 404, 503),
      },
    },
    async ({ params: { seq } }) => ((await deadLetters.discard(seq)) ? { seq } : unknown(seq)),
  );

  app.post<{ Params: { seq: number } }>(
    "/v1/dead-letters/:seq/resubmit",
    {
      schema: {
        operationId: "resubmitDeadLetter",
        summary: "Publishes a message once more as it is, and takes it off the list",
        description: "The request's Content-Type must be application/json; its body is not read.",
        tags: ["dead letters"],
        params,
        response: answers(object({ seq: { type: "integer" } }), 400, 404, 415, 503),
      },
    },
    async ({ params: { seq }, raw }) => {
      checkJsonType(raw);
      await host.ready();
      return (await deadLetters.resubmit(seq)) ? { seq } : unknown(seq);
    },
  );
}

function unknown(seq: number): never {
  throw new MillraceError("ERR_DEAD_LETTER_UNKNOWN", `There is no dead letter ${seq}.`);
}
