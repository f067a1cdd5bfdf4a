import type { FastifyInstance } from "fastify";
import type { Host } from "../host.ts";
import { packageVersion } from "./package-version.ts";
import { answers } from "./route-schema.ts";
import { listOf, object } from "./schemas.ts";

const string = { type: "string" };

/** The route that says what this host is. */
export function addStatusRoute(
  app: FastifyInstance,
  host: Pick<Host, "name" | "setup" | "functions" | "deadLetters">,
): void {
  app.get(
    "/v1/host",
    {
      schema: {
        operationId: "getHost",
        summary: "What this host is, and how many dead letters its store has",
        tags: ["host"],
        response: answers(
          object({
            name: { ...string, description: "Unique among the hosts of its store." },
            version: { ...string, description: "Of Millrace." },
            "store?": { type: "string", enum: ["memory", "sqlite", "nats"] },
            "runtimes?": { ...listOf(string), description: "Those whose steps it runs." },
            "engine?": {
              ...object({ name: string, why: string }),
              description: "What executes Wasm steps, and why that.",
            },
            functions: { type: "integer", description: "Active ones." },
            deadLetters: { type: "integer" },
          }),
        ),
      },
    },
    async () => ({
      name: host.name,
      version: packageVersion(),
      ...host.setup,
      functions: host.functions().length,
      deadLetters: await host.deadLetters.count(),
    }),
  );
}
