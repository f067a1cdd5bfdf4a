import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import { answers, idParams, pageQuery } from "./route-schema.ts";
import { listOf, object, ref } from "./schemas.ts";

/** Runs of one event that are listed with it; the rest is behind `next`. */
const mostRuns = 200;

/** The routes that read stored events. */
export function addEventRoutes(app: FastifyInstance, host: Pick<Host, "events" | "runs">): void {
  app.get<{ Querystring: { name?: string; cursor?: string; limit: number } }>(
    "/v1/events",
    {
      schema: {
        operationId: "listEvents",
        summary: "Stored events, the newest first",
        tags: ["events"],
        querystring: pageQuery({ name: { type: "string", description: "Of this name." } }),
        response: answers(object({ events: listOf(ref("StoredEvent")), "next?": { type: "string" } }), 400),
      },
    },
    async ({ query: { name, cursor, limit } }) => {
      const found = await host.events.readEvents({
        newestFirst: true,
        limit: limit + 1,
        ...(name === undefined ? {} : { name }),
        ...(cursor === undefined ? {} : { beforeSeq: Number(cursor) }),
      });
      const events = found.slice(0, limit);
      const last = events.at(-1);
      return found.length > limit && last !== undefined ? { events, next: String(last.seq) } : { events };
    },
  );

  app.get<{ Params: { id: string } }>(
    "/v1/events/:id",
    {
      schema: {
        operationId: "getEvent",
        summary: "One event, and the runs that it started",
        tags: ["events"],
        params: idParams("The event's id, percent-encoded."),
        response: answers(
          object({
            seq: { type: "integer" },
            storedAt: { type: "integer" },
            event: ref("Event"),
            runs: { ...listOf(ref("Run")), description: `The newest ${mostRuns}.` },
            "next?": {
              type: "string",
              description: "More of them: the `cursor` for `GET /v1/runs?event=…`.",
            },
          }),
          404,
        ),
      },
    },
    async ({ params: { id } }) => {
      const [stored, page] = await Promise.all([
        host.events.readEvent(id),
        host.runs.query({ eventId: id, limit: mostRuns }),
      ]);
      if (stored !== undefined) return { ...stored, ...page };
      throw new MillraceError("ERR_EVENT_UNKNOWN", `There is no event ${JSON.stringify(id)}.`);
    },
  );
}
