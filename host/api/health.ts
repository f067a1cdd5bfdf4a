import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import { answers } from "./route-schema.ts";
import { object } from "./schemas.ts";

/** What supervisors and load balancers ask; no key is wanted. */
export function addHealthRoutes(
  app: FastifyInstance,
  host: Pick<Host, "ready">,
  isClosing: () => boolean,
): void {
  app.get(
    "/healthz",
    {
      schema: {
        operationId: "health",
        summary: "Whether the process is alive",
        tags: ["host"],
        response: answers(object({ status: { type: "string", const: "alive" } })),
      },
    },
    async () => ({ status: "alive" }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        operationId: "ready",
        summary: "Whether the host takes events: its store answers, and it is not stopping",
        tags: ["host"],
        response: answers(object({ status: { type: "string", const: "ready" } }), 503),
      },
    },
    async () => {
      if (isClosing()) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      try {
        await host.ready();
      } catch (cause) {
        if (cause instanceof MillraceError) throw cause;
        throw new MillraceError("ERR_STORE_UNAVAILABLE", "The store does not answer.", { cause });
      }
      return { status: "ready" };
    },
  );
}
