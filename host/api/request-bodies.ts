import { deploymentSchema } from "./deployment.ts";
import { object, ref, type Schema } from "./schemas.ts";

const text: Schema = { type: "string" };

function json(schema: Schema): Schema {
  return { content: { "application/json": { schema } } };
}

const reason = json(object({ "reason?": { ...text, description: "Kept in the run's history." } }));

/**
 * The bodies that operations take, for the document alone: each route reads and checks its own, and refuses with problems
 * of its own. A test holds the two together.
 */
export const requestBodies: Readonly<Record<string, Schema>> = {
  sendEvents: {
    content: {
      "application/json": {
        schema: { oneOf: [ref("NewEvent"), { type: "array", items: ref("NewEvent"), maxItems: 5_000 }] },
      },
      "application/cloudevents+json": { schema: ref("CloudEvent") },
      "application/cloudevents-batch+json": {
        schema: { type: "array", items: ref("CloudEvent"), maxItems: 5_000 },
      },
    },
  },
  deploy: json(deploymentSchema),
  putArtifact: { content: { "application/wasm": { schema: { type: "string", format: "binary" } } } },
  cancelRun: reason,
  pauseRun: reason,
  resumeRun: json(object({})),
  retryRun: json({
    ...object({
      "from?": { ...text, description: "A step's id." },
      "event?": { type: "object", description: "Fields in place of those of the run's own event." },
    }),
    not: { type: "object", required: ["from", "event"], properties: { from: true, event: true } },
  }),
  completeStep: {
    content: {
      "application/json": { schema: { description: "The step's output." } },
      "text/plain": { schema: { ...text, description: "The step's output: a text, or nothing for null." } },
    },
  },
  failStep: json(
    object({
      message: text,
      "fatal?": { type: "boolean", description: "The step is not tried again." },
      "retryAfter?": {
        type: ["number", "string"],
        minimum: 0,
        description: 'Milliseconds, or a duration such as "10s".',
      },
    }),
  ),
  answerLink: {
    content: Object.fromEntries(
      ["application/x-www-form-urlencoded", "application/json"].map((type) => [
        type,
        { schema: { type: "object", properties: { answer: text }, required: ["answer"] } },
      ]),
    ),
  },
};
