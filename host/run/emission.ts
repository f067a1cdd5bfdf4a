import { createHash } from "node:crypto";
import { v7 } from "uuid";
import type { StepFailure } from "../../runtime/driver.ts";
import { runtimeErrors, type RuntimeErrorCode } from "../../runtime/errors.ts";
import type { Json } from "../../runtime/json.ts";
import { MillraceError } from "../errors.ts";
import type { Event } from "../event/event.ts";
import { matchesPattern } from "../policy/pattern.ts";
import { ancestryOf, deepest, descended } from "./ancestry.ts";

/** What an attempt put out: its output, and the events that it emits. */
export type Emission =
  | { readonly ok: true; readonly output: Json; readonly events: readonly Event[] }
  | { readonly ok: false; readonly failure: StepFailure };

interface Emitting {
  readonly runId: string;
  readonly functionId: string;
  readonly step: string;
  /** The run's own event. */
  readonly event: Event;
  readonly startedAt: number;
  readonly at: number;
  /** The names that the step may emit, or patterns of them; undefined: it emits nothing. */
  readonly allowed: readonly string[] | undefined;
  /** Makes events of what a sender wrote; throws MillraceError with all that is wrong. */
  check(inputs: readonly unknown[]): readonly Event[];
}

/** Events that one step may emit. */
const mostEvents = 100;

/** What a step may say of an event that it emits; the rest follows from its run. */
const fields = ["name", "data", "user", "id", "ts", "v"];

/**
 * Takes `emit` off the output of a step that may emit events. Their ids follow from the run, the step and their place,
 * so that one is stored once however often it is published.
 */
export function emissionOf(output: Json, emitting: Emitting): Emission {
  const { allowed } = emitting;
  if (allowed === undefined || !isObject(output) || !Object.hasOwn(output, "emit")) {
    return { ok: true, output, events: [] };
  }
  const { emit, ...rest } = output;
  if (!Array.isArray(emit)) return refused("`emit` must be a list of events");
  const given = emit as readonly Json[];
  if (given.length > mostEvents) return refused(`${given.length} events; ${mostEvents} are allowed`);
  for (const [index, one] of given.entries()) {
    const wrong = problemOf(one, allowed);
    if (wrong !== undefined) return refused(`/emit/${index}: ${wrong}`);
  }
  if (given.length > 0 && ancestryOf(emitting.event).depth >= deepest) {
    const message = `The run is the ${deepest}th of runs of which each was started by an event of the one before; it may emit none.`;
    return failed("ERR_STEP_EMIT_DEPTH", message);
  }
  try {
    const inputs = given.map((one, index) => complete(one as Fields, index, emitting));
    return { ok: true, output: rest, events: emitting.check(inputs) };
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const [first] = error.problems;
    return refused(first === undefined ? error.message : `/emit${first.pointer ?? ""}: ${first.message}`);
  }
}

type Fields = { readonly [key: string]: Json };

function isObject(value: Json): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function problemOf(one: Json, allowed: readonly string[]): string | undefined {
  if (!isObject(one)) return "it is no object";
  const unknown = Object.keys(one).find((key) => !fields.includes(key));
  if (unknown !== undefined) return `it has ${JSON.stringify(unknown)}; it may have ${fields.join(", ")}`;
  const { name } = one;
  if (typeof name !== "string") return "its `name` is missing, or no text";
  if (allowed.some((pattern) => matchesPattern(pattern, name))) return undefined;
  return `the step may not emit ${JSON.stringify(name)}; its capability \`emit\` has ${allowed.join(", ") || "no name"}`;
}

function complete(one: Fields, index: number, emitting: Emitting): object {
  const { runId, functionId, step, event, at, startedAt } = emitting;
  const { id } = one;
  return {
    ...(event.user === undefined ? {} : { user: event.user }),
    ts: at,
    ...one,
    // An id of the step's own is told from those of all other senders, which it must not forestall.
    id:
      id === undefined || id === null
        ? idOf(runId, step, index, startedAt)
        : typeof id === "string"
          ? `${functionId}/${id}`
          : id,
    ...descended(event, { runId, step }),
  };
}

/** A UUIDv7 with the time at which the run began. */
function idOf(runId: string, step: string, index: number, startedAt: number): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([runId, step, index]))
    .digest();
  return v7({ msecs: startedAt, random: digest.subarray(0, 16) });
}

function refused(what: string): Emission {
  return failed("ERR_STEP_EMIT", `What the step emits can't be published: ${what}.`);
}

function failed(code: RuntimeErrorCode, message: string): Emission {
  return { ok: false, failure: { code, message, retry: runtimeErrors[code].retry } };
}
