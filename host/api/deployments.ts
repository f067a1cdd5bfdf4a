import type { FastifyInstance } from "fastify";
import type { Json } from "../../runtime/json.ts";
import { checkComponents } from "../deployer.ts";
import type { Host } from "../host.ts";
import { readDeployment } from "./deployment.ts";
import { readJson } from "./read-json.ts";
import type { ApiSettings } from "./options.ts";
import { answers } from "./route-schema.ts";
import { listOf, object } from "./schemas.ts";

const string = { type: "string" };
const schemasByName = { type: "object", description: "JSON Schemas of events' data, by event name." };

/** The routes that deploy functions and event schemas. */
export function addDeploymentRoutes(
  app: FastifyInstance,
  host: Pick<
    Host,
    "functions" | "permit" | "deploy" | "hasArtifact" | "eventSchemas" | "addEventSchemas" | "ready"
  >,
  { bodyBytes }: Pick<ApiSettings, "bodyBytes">,
): void {
  app.get(
    "/v1/schemas",
    {
      schema: {
        operationId: "listSchemas",
        summary: "The JSON Schemas of events, by event name",
        tags: ["deployment"],
        response: answers(object({ schemas: schemasByName })),
      },
    },
    async () => ({ schemas: await host.eventSchemas() }),
  );

  app.post(
    "/v1/deployments",
    {
      schema: {
        operationId: "deploy",
        summary: "Deploys function versions and event schemas, all or none of those in the request",
        description:
          "Their components must be stored before. Functions and schemas that are not named stay as they are; " +
          "what is active already is left alone.",
        tags: ["deployment"],
        response: answers(
          object({
            functions: listOf(object({ id: string, version: string, changed: { type: "boolean" } })),
            schemas: { ...listOf(string), description: "The events of which the schema changed." },
          }),
          400,
          403,
          413,
          415,
          422,
          503,
          507,
        ),
      },
    },
    async ({ raw }, reply) => {
      await host.ready();
      const { functions, schemas } = readDeployment(await readJson(raw, reply.raw, bodyBytes));
      host.permit(functions);
      await checkComponents(functions, host.hasArtifact);
      const active = new Map(host.functions().map(({ functionId, version }) => [functionId, version]));
      const isChanged = (id: string, version: string): boolean => active.get(id) !== version;
      const changedSchemas = differing(schemas, await host.eventSchemas());
      if (Object.keys(changedSchemas).length > 0) await host.addEventSchemas(changedSchemas);
      const changed = functions.filter(({ functionId, version }) => isChanged(functionId, version));
      if (changed.length > 0) await host.deploy(changed);
      return {
        functions: functions.map(({ functionId: id, version }) => ({
          id,
          version,
          changed: isChanged(id, version),
        })),
        schemas: Object.keys(changedSchemas),
      };
    },
  );
}

/** Those that are not stored just so. */
function differing(
  wanted: Readonly<Record<string, Json>>,
  stored: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const same = (name: string, schema: Json): boolean =>
    Object.hasOwn(stored, name) && JSON.stringify(stored[name]) === JSON.stringify(schema);
  return Object.fromEntries(Object.entries(wanted).filter(([name, schema]) => !same(name, schema)));
}
