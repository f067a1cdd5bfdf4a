import type { Event } from "../event/event.ts";

/** Where an event comes from that a run brought about. */
interface Ancestry {
  readonly runId?: string;
  readonly step?: string;
  /** How many runs lead to it, each started by an event of the one before; 0 for an event from outside. */
  readonly depth: number;
}

/** So many runs may follow from each other. */
export const deepest = 32;

/** The attributes of events by which that is told. */
const runAttribute = "millracerun";
const stepAttribute = "millracestep";
const depthAttribute = "millracedepth";

/** What the attributes of an event say of the run that brought it about. */
export function ancestryOf({ attributes = {} }: Event): Ancestry {
  const { [runAttribute]: runId, [stepAttribute]: step, [depthAttribute]: depth } = attributes;
  return {
    ...(typeof runId === "string" ? { runId } : {}),
    ...(typeof step === "string" ? { step } : {}),
    depth: typeof depth === "number" && depth > 0 ? depth : 0,
  };
}

/** What an event has that a run brings about, whose own event this is. */
export function descended(
  event: Event,
  { runId, step }: { readonly runId: string; readonly step: string },
): Pick<Event, "attributes" | "traceparent"> {
  const depth = ancestryOf(event).depth + 1;
  const attributes = { [runAttribute]: runId, [stepAttribute]: step, [depthAttribute]: depth };
  return event.traceparent === undefined ? { attributes } : { attributes, traceparent: event.traceparent };
}
