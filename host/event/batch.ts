import type { Random } from "../clock.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { parseEvent, type Event } from "./event.ts";
import type { EventSchemas } from "./schemas.ts";

/** Events in one publish, at most. */
const maxEvents = 5_000;

/**
 * Checks all events of one publish. Throws ERR_EVENT_INVALID with the problems of all of them; a pointer begins with
 * the event's index.
 */
export function parseEvents(
  inputs: readonly unknown[],
  options: { readonly now: number; readonly random: Random; readonly schemas: EventSchemas },
): readonly Event[] {
  if (inputs.length > maxEvents) {
    throw new MillraceError(
      "ERR_EVENT_TOO_MANY",
      `${inputs.length} events were sent at once; ${maxEvents} are the most.`,
    );
  }
  const events: Event[] = [];
  const problems: Problem[] = [];
  inputs.forEach((input, index) => {
    const parsed = parseEvent(input, { ...options, index });
    if (parsed.ok) events.push(parsed.event);
    else problems.push(...parsed.problems);
  });
  if (problems.length > 0) throw invalidEvents(problems);
  return events;
}

/** What a sender is told of all that is wrong. */
function invalidEvents(problems: readonly Problem[]): MillraceError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const where = first?.pointer === undefined ? "" : ` at ${first.pointer}`;
  return new MillraceError("ERR_EVENT_INVALID", `${first?.message ?? "Not an event."}${where}${more}`, {
    problems,
  });
}
