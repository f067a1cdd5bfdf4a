import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { ApiSettings } from "./options.ts";
import { readBody } from "./read-body.ts";
import { answers } from "./route-schema.ts";
import { object, type Schema } from "./schemas.ts";

const params: Schema = {
  type: "object",
  properties: { sha256: { type: "string", description: "The component's sha256, in hex." } },
  required: ["sha256"],
};

/** The routes that store components. */
export function addArtifactRoutes(
  app: FastifyInstance,
  host: Pick<Host, "hasArtifact" | "putArtifact" | "ready">,
  { bodyBytes }: Pick<ApiSettings, "bodyBytes">,
): void {
  app.head<{ Params: { sha256: string } }>(
    "/v1/artifacts/:sha256",
    {
      schema: {
        operationId: "hasArtifact",
        summary: "Whether a component is stored: 200 or 404, without a body",
        tags: ["deployment"],
        params,
        response: { 200: { description: "It is stored." }, 404: { description: "It is not." } },
      },
    },
    async ({ params: { sha256 } }, reply) => {
      const known = isDigest(sha256) && (await host.hasArtifact(sha256));
      return reply.code(known ? 200 : 404).send();
    },
  );

  app.put<{ Params: { sha256: string } }>(
    "/v1/artifacts/:sha256",
    {
      schema: {
        operationId: "putArtifact",
        summary: "Stores a component",
        description: `The body is the component, at most ${bodyBytes} bytes; the same again changes nothing. HEAD says whether it is stored.`,
        tags: ["deployment"],
        params,
        response: answers(
          object({ sha256: { type: "string" }, size: { type: "integer" } }),
          400,
          413,
          422,
          503,
          507,
        ),
      },
    },
    async ({ params: { sha256 }, raw }, reply) => {
      if (!isDigest(sha256)) throw wrongDigest(`${JSON.stringify(sha256)} is no sha256 in hex`);
      await host.ready();
      const body = await readBody(raw, reply.raw, bodyBytes);
      const found = createHash("sha256").update(body).digest("hex");
      if (found !== sha256) throw wrongDigest(`the body's sha256 is ${found}, not ${sha256}`);
      await host.putArtifact(body);
      return { sha256, size: body.length };
    },
  );
}

function isDigest(text: string): boolean {
  return /^[\da-f]{64}$/.test(text);
}

function wrongDigest(why: string): MillraceError {
  return new MillraceError("ERR_ARTIFACT_DIGEST", `The component was not stored: ${why}.`);
}
