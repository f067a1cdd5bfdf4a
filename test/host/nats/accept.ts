import { parseEvents } from "../../../host/event/batch.ts";
import type { Event } from "../../../host/event/event.ts";
import { compileEventSchemas } from "../../../host/event/schemas.ts";

/** Checks an event as a host does that has no schemas. */
export function accept(input: unknown): Event {
  const schemas = compileEventSchemas({});
  const [event] = parseEvents([input], { now: 1, random: Math.random, schemas });
  if (event === undefined) throw new Error("no event");
  return event;
}
