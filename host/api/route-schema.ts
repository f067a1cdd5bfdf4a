import { ref, type Schema } from "./schemas.ts";

/** What a route answers: `success` with status 200, and failures. */
export function answers(success: Schema, ...failures: readonly number[]): Readonly<Record<string, Schema>> {
  return {
    200: { description: "Done.", content: { "application/json": { schema: success } } },
    ...Object.fromEntries(failures.map((status) => [status, failureAnswer(describe(status))])),
    default: failureAnswer("Any other failure."),
  };
}

/** A query with the parameters of a list: `cursor`, `limit` and these. */
export function pageQuery(parameters: Readonly<Record<string, Schema>>): Schema {
  return {
    type: "object",
    properties: {
      ...parameters,
      cursor: { type: "string", pattern: "^\\d{1,15}$", description: "The `next` of the page before." },
      limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
    },
    additionalProperties: false,
  };
}

/** The parameter `id` of a path. */
export function idParams(description: string): Schema {
  return { type: "object", properties: { id: { type: "string", description } }, required: ["id"] };
}

function failureAnswer(description: string): Schema {
  return { description, content: { "application/json": { schema: ref("Failure") } } };
}

const descriptions: Readonly<Record<number, string>> = {
  400: "The request can't be used; `problems` says why.",
  401: "No key, or a wrong one.",
  404: "There is no such thing.",
  413: "Too large.",
  415: "Not in a form that is taken.",
  422: "What was sent does not fit; `problems` says why.",
  503: "Not now.",
  507: "The disk is full; nothing was stored.",
};

function describe(status: number): string {
  return descriptions[status] ?? "A failure.";
}
