import { createHash } from "node:crypto";

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Where in a run's id its function stands. */
const functionFrom = 12;
const functionTo = 20;

/** What the ids of all runs of a function have in common: 8 hex digits. */
export function functionDigest(functionId: string): string {
  return sha256(functionId).slice(0, functionTo - functionFrom);
}

/** The digest of the function of a run. */
export function functionDigestOf(runId: string): string {
  return runId.slice(functionFrom, functionTo);
}

/**
 * The id of the one run that a function has for an event: 32 hex digits, the same wherever it is computed.
 * Where the event's id is a UUIDv7, the run's begins with the same 48-bit time, so that stores keep runs in order.
 * The function's digest follows: stores find a function's runs by it.
 */
export function runId(functionId: string, eventId: string): string {
  const digest = sha256(`${functionId}\0${eventId}`);
  const time = uuidV7.test(eventId)
    ? eventId.slice(0, 8) + eventId.slice(9, 13)
    : digest.slice(-functionFrom);
  return time + functionDigest(functionId) + digest.slice(0, 32 - functionTo);
}

/** The id of a run that collects events for this key, of which this one is the first: the one behind `earlier`. */
export function collectedRunId(
  functionId: string,
  eventId: string,
  { key, earlier = "" }: { readonly key: string; readonly earlier?: string | undefined },
): string {
  const digest = sha256(`${key}\0${earlier}\0${eventId}`);
  const [from, to] = [functionFrom, functionTo];
  return runId(functionId, eventId).slice(0, from) + functionDigest(functionId) + digest.slice(0, 32 - to);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
