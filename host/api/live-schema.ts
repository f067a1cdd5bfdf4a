import { object, ref, type Schema } from "./schemas.ts";

const string: Schema = { type: "string" };
const time: Schema = { type: "integer", description: "Milliseconds since 1970-01-01T00:00:00Z." };
const type = (name: string): Schema => ({ type: "string", const: name });

/** The data of one message of the live stream. */
export const liveMessage: Schema = {
  oneOf: [
    object({ type: type("event.stored"), at: time, event: ref("Event") }),
    object({
      type: type("attempt.started"),
      at: time,
      runId: string,
      functionId: string,
      step: string,
      attempt: { type: "integer" },
      "item?": { type: "integer" },
    }),
    object({
      type: type("attempt.logged"),
      at: time,
      runId: string,
      functionId: string,
      step: string,
      attempt: { type: "integer" },
      "item?": { type: "integer" },
      line: ref("LogLine"),
    }),
    object({
      type: type("history"),
      at: time,
      runId: string,
      functionId: string,
      seq: { type: "integer" },
      entry: ref("LiveEntry"),
    }),
    object({
      type: type("notice"),
      at: time,
      level: { type: "string", enum: ["warn", "error"] },
      "code?": string,
      message: string,
      "functionId?": string,
    }),
  ],
};
