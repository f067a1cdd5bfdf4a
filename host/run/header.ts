import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { RunHeader } from "../state/state.ts";
import { userId } from "./match.ts";
import { runId } from "./run-id.ts";

/** What identifies the run of a function for an event. */
export function headerOf(definition: Definition, event: Event, now: number): RunHeader {
  const user = userId(event);
  return {
    id: runId(definition.id, event.id),
    functionId: definition.id,
    functionVersion: definition.version,
    eventId: event.id,
    eventName: event.name,
    ...(user === undefined ? {} : { userId: user }),
    createdAt: now,
  };
}

/** What identifies a run, of what is known of it. */
export function headerOfRun(run: RunHeader): RunHeader {
  const { id, functionId, functionVersion, eventId, eventName, userId, createdAt } = run;
  const user = userId === undefined ? {} : { userId };
  return { id, functionId, functionVersion, eventId, eventName, ...user, createdAt };
}
