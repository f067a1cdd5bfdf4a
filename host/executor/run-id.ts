import { createHash } from "node:crypto";

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * The id of the one run that a function has for an event: 32 hex digits, the same wherever it is computed.
 * Where the event's id is a UUIDv7, the run's begins with the same 48-bit time, so that stores keep runs in order.
 */
export function runId(functionId: string, eventId: string): string {
  const digest = createHash("sha256").update(`${functionId}\0${eventId}`).digest("hex");
  if (!uuidV7.test(eventId)) return digest.slice(0, 32);
  return eventId.slice(0, 8) + eventId.slice(9, 13) + digest.slice(0, 20);
}
