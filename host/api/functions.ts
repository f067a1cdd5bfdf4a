import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import { defaultTimezone } from "../function/cron.ts";
import { triggerEvent, type TriggerDocument } from "../function/document.ts";
import type { Host } from "../host.ts";
import { answers, idParams } from "./route-schema.ts";
import { listOf, object, ref } from "./schemas.ts";

/** The routes that read the active functions. */
export function addFunctionRoutes(
  app: FastifyInstance,
  host: Pick<Host, "functions" | "nextAt" | "notices">,
): void {
  app.get(
    "/v1/functions",
    {
      schema: {
        operationId: "listFunctions",
        summary: "The active functions",
        tags: ["functions"],
        response: answers(object({ functions: listOf(ref("Function")) })),
      },
    },
    async () => ({
      functions: host.functions().map(({ functionId, version, createdAt, document }) => ({
        id: functionId,
        ...(document.name === undefined ? {} : { name: document.name }),
        version,
        createdAt,
        triggers: document.triggers.map((trigger) => triggerView(functionId, trigger)),
        nextAt: host.nextAt(functionId),
        steps: Object.keys(document.steps),
      })),
    }),
  );

  app.get<{ Params: { id: string } }>(
    "/v1/functions/:id",
    {
      schema: {
        operationId: "getFunction",
        summary: "One active function: its document, and what was noticed about it since the host began",
        tags: ["functions"],
        params: idParams("The function's id."),
        response: answers(ref("FunctionDetail"), 404),
      },
    },
    async ({ params: { id } }) => {
      const found = host.functions().find((version) => version.functionId === id);
      if (found === undefined) {
        throw new MillraceError("ERR_FUNCTION_UNKNOWN", `There is no active function ${JSON.stringify(id)}.`);
      }
      const { version, createdAt, document, components, pinned } = found;
      const fixed = pinned && { pinned };
      return { id, version, createdAt, document, components, ...fixed, notices: host.notices(id) };
    },
  );
}

function triggerView(functionId: string, trigger: TriggerDocument) {
  const event = triggerEvent(functionId, trigger);
  if (!("cron" in trigger)) return { event, expression: trigger.expression };
  return { event, cron: trigger.cron, timezone: trigger.timezone ?? defaultTimezone };
}
