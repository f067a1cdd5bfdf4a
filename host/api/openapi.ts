import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { deploymentSchema } from "./deployment.ts";
import { packageVersion } from "./package-version.ts";
import { answers } from "./route-schema.ts";
import { components, ref, type Schema } from "./schemas.ts";

/** The bodies that `POST /e/<key>` takes. They are checked by the host, so this is for the document alone. */
const eventBody: Schema = {
  content: {
    "application/json": {
      schema: { oneOf: [ref("NewEvent"), { type: "array", items: ref("NewEvent"), maxItems: 5_000 }] },
    },
    "application/cloudevents+json": { schema: ref("CloudEvent") },
    "application/cloudevents-batch+json": {
      schema: { type: "array", items: ref("CloudEvent"), maxItems: 5_000 },
    },
  },
};

/** The bodies of routes that check them by themselves. */
function bodyOf(url: string, operationId: unknown): { readonly body?: Schema } {
  if (url.startsWith("/e/")) return { body: eventBody };
  if (operationId === "deploy")
    return { body: { content: { "application/json": { schema: deploymentSchema } } } };
  if (operationId !== "putArtifact") return {};
  return { body: { content: { "application/wasm": { schema: { type: "string", format: "binary" } } } } };
}

/** Has every route that is added from here on described in the document; `keyed`: the reading ones want a key. */
export async function collectRoutes(app: FastifyInstance, keyed: boolean): Promise<void> {
  const { default: swagger } = await import("@fastify/swagger");
  for (const [$id, schema] of Object.entries(components)) app.addSchema({ $id, ...schema });
  const options: FastifyDynamicSwaggerOptions = {
    convertConstToEnum: false,
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Millrace",
        version: packageVersion(),
        description: "Sends events, reads runs, deploys functions.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          apiKey: { type: "http", scheme: "bearer", description: "An API key, where the host wants one." },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === "string" ? json.$id : `schema-${index}`,
    },
    transform: ({ schema, url }) => ({
      url,
      schema: {
        ...schema,
        ...bodyOf(url, schema?.["operationId"]),
        security: keyed && url.startsWith("/v1/") ? [{ apiKey: [] }] : [],
      },
    }),
  };
  await app.register(swagger, options);
}

/** Serves the document; no key is wanted. */
export function addOpenapiRoute(app: FastifyInstance): void {
  let document: string | undefined;
  app.get(
    "/openapi.json",
    {
      schema: {
        operationId: "openapi",
        summary: "This document: OpenAPI 3.1",
        tags: ["host"],
        response: answers({ type: "object" }),
      },
    },
    (_request, reply) => {
      document ??= JSON.stringify(app.swagger());
      void reply.header("content-type", "application/json; charset=utf-8").send(document);
    },
  );
}
