import { setTimeout } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Json } from "../../runtime/json.ts";
import { checkComponents } from "../deployer.ts";
import { MillraceError } from "../errors.ts";
import type { FunctionVersion } from "../function/version.ts";
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
    | "functions"
    | "permit"
    | "precompile"
    | "deploy"
    | "hasArtifact"
    | "eventSchemas"
    | "addEventSchemas"
    | "ready"
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
          "Their components must be stored before, and are compiled first, for up to 20 seconds: one that can't run " +
          "is refused. Functions and schemas that are not named stay as they are; what is active already is left alone.",
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
      const changed = functions.filter(({ functionId, version }) => isChanged(functionId, version));
      await compile(host, changed);
      const changedSchemas = differing(schemas, await host.eventSchemas());
      if (Object.keys(changedSchemas).length > 0) await host.addEventSchemas(changedSchemas);
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

/** Whoever deploys waits for no compiler longer than this, in milliseconds; it goes on meanwhile. */
const compileMs = 20_000;

/** Has components compiled before they are active. Throws ERR_DEPLOYMENT_INVALID with those that can't run. */
async function compile(host: Pick<Host, "precompile">, versions: readonly FunctionVersion[]): Promise<void> {
  if (versions.length === 0) return;
  const timer = new AbortController();
  const late = setTimeout(compileMs, [], { signal: timer.signal, ref: false }).catch(() => []);
  const found = await Promise.race([host.precompile(versions), late]).finally(() => timer.abort());
  const problems = found.map(({ pointer = "", ...problem }) => ({
    ...problem,
    pointer: `/functions${pointer}`,
  }));
  if (problems.length === 0) return;
  const message = `${problems.length} of the functions' components can't run.`;
  throw new MillraceError("ERR_DEPLOYMENT_INVALID", message, { problems });
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
