import type { Clock, Random } from "../clock.ts";
import { parseEvents } from "./batch.ts";
import type { Event } from "./event.ts";
import { compileEventSchemas, type EventSchemas } from "./schemas.ts";

/** Makes events of what clients send, by the schemas that hold at the time. */
export interface Intake {
  /** Throws MillraceError ERR_EVENT_INVALID with every problem. */
  events(inputs: readonly unknown[]): readonly Event[];
  /** One event, as `events` makes it. */
  event(input: unknown): Event;
  /** From now on these hold. */
  use(schemas: EventSchemas): void;
}

export function createIntake(clock: Clock, random: Random): Intake {
  let schemas = compileEventSchemas({});
  const events: Intake["events"] = (inputs) => parseEvents(inputs, { now: clock.now(), random, schemas });
  return {
    events,
    event(input) {
      const [event] = events([input]);
      if (event === undefined) throw new TypeError("one input gives one event");
      return event;
    },
    use(next) {
      schemas = next;
    },
  };
}
