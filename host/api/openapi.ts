import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { packageVersion } from "./package-version.ts";
import { requestBodies } from "./request-bodies.ts";
import { answers } from "./route-schema.ts";
import { components } from "./schemas.ts";

/** Whoever has the token needs no other key. */
const opensByToken = /^\/v1\/(?:completions|links)\//;

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
    transform: ({ schema, url }) => {
      const body = requestBodies[String(schema?.["operationId"])];
      const wantsKey = keyed && url.startsWith("/v1/") && !opensByToken.test(url);
      return {
        url,
        schema: {
          ...schema,
          ...(body === undefined ? {} : { body }),
          security: wantsKey ? [{ apiKey: [] }] : [],
        },
      };
    },
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
