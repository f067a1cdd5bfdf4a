import * as fc from "fast-check";
import type {
  EdgeDocument,
  FunctionDocument,
  RetryDocument,
  StepDocument,
} from "../../host/function/document.ts";
import { conditions, ofEvent, sameKey, type Behaviour, type Scenario } from "./scenario.ts";

/** Whole seconds are for timers; what comes from outside comes a moment before or after. */
const durations = ["1s", "10s", "1h", "30d", "365d"] as const;
/** At most, of what one scenario has. */
export const most = { steps: 5, edges: 3, events: 6, items: 4 };

/** An edge before it is known at which place its step stands. */
interface Sketch {
  /** 0: from "$trigger", n: from the step at place n - 1, where that stands before. */
  readonly from: number;
  readonly if?: string;
  readonly wait?: string;
  readonly async?: { readonly ttl: string; readonly match?: string; readonly onTimeout?: true };
  /** Whether the condition looks at the event. */
  readonly looks?: true;
  /** Whether it leads from a failure, where that is possible. */
  readonly fails?: true;
}

/** An edge that may be anything. */
export const edge: fc.Arbitrary<Sketch> = fc.record(
  {
    from: fc.nat(most.steps),
    if: maybe(fc.constantFrom(...Object.keys(conditions)), "data.key == 1"),
    wait: fc.constantFrom(...durations),
    async: fc.record(
      {
        ttl: fc.constantFrom(...durations),
        match: fc.constant(sameKey),
        onTimeout: fc.constant<true>(true),
      },
      { requiredKeys: ["ttl"] },
    ),
    looks: fc.constant<true>(true),
    fails: fc.constant<true>(true),
  },
  { requiredKeys: ["from"] },
);

/** A policy without chance. */
export const retry = fc.record({
  retries: fc.nat(2),
  backoff: fc.record({
    initial: fc.constantFrom("1s", "1h", "30d"),
    factor: fc.constantFrom(1, 2),
    jitter: fc.constant(0),
    max: fc.constant("365d"),
  }),
});
/** What a program may do. */
export const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3), fails: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3), fatal: fc.constant<true>(true) }) },
);
/** Of a step that the first edge starts. */
export const join = fc.constant<"any">("any");

/** What a step does once an item, and how. */
export const items = fc.record(
  {
    each: fc.array(behaviour, { maxLength: most.items }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    tolerate: fc.constantFrom(0, 1, "50%", "any"),
  },
  { requiredKeys: ["each"] },
);
/** What undoes a step: each of its items, where it has some. */
export const undoing = fc.record({
  retry,
  program: behaviour,
  each: fc.array(behaviour, { minLength: most.items, maxLength: most.items }),
  invokes: fc.boolean(),
});
/** A step that may be anything: it runs once or once an item, invokes a function, emits, is undone. */
export const step = fc.record(
  {
    after: fc.array(edge, { minLength: 1, maxLength: most.edges }),
    join,
    retry,
    program: behaviour,
    items: maybe(items, undefined),
    invokes: maybe(fc.constant<true>(true), undefined),
    /** The place of the step that waits for the event. */
    emits: maybe(fc.nat(most.steps - 1), undefined),
    undoing: maybe(undoing, undefined),
  },
  { requiredKeys: ["after", "program"] },
);
/** A step before it is known at which place it stands. */
export type Made = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A step with all that it may be, and what undoes it. */
export function flowing(made: Made, place: number): FunctionDocument["steps"] {
  const id = `s${place}`;
  const step = documented(made, place);
  const { items: list, invokes, emits, undoing: back } = made;
  const isInvoking = invokes === true && list === undefined;
  const own: StepDocument = {
    ...step,
    ...(list === undefined ? {} : { forEach: listed(list) }),
    ...(isInvoking ? { invoke: { function: "itself" } } : {}),
    ...(emits === undefined || isInvoking ? {} : { capabilities: { emit: ["*"] } }),
  };
  if (back === undefined) return { [id]: own };
  const by = `u${id}`;
  const undoes = back.invokes && list === undefined ? { invoke: { function: "itself" } } : {};
  return { [id]: { ...own, compensate: by }, [by]: { retry: back.retry, ...undoes } };
}

function listed({
  each,
  concurrency,
  tolerate,
}: NonNullable<Made["items"]>): NonNullable<StepDocument["forEach"]> {
  const policy = tolerate === undefined ? {} : { onError: "continue" as const };
  return {
    items: JSON.stringify(each.map((_, index) => index)),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...policy,
    ...(tolerate === undefined || tolerate === "any" ? {} : { tolerate }),
  };
}

/** What the programs of a step do. */
export function behaving(made: Made, place: number): Scenario["programs"] {
  const { program, items: list, invokes, emits, undoing: back } = made;
  const name = emits === undefined || (invokes === true && list === undefined) ? {} : { emits: `e${emits}` };
  const each = (all: readonly Behaviour[], from: number) =>
    all.map((one, index) => timed(one, from + index / most.items));
  const own =
    list === undefined ? { ...timed(program, place), ...name } : { items: each(list.each, place), ...name };
  if (back === undefined) return { [`s${place}`]: own };
  const from = most.steps + 1 + place;
  const undoes = list === undefined ? timed(back.program, from) : { items: each(back.each, from) };
  return { [`s${place}`]: own, [`us${place}`]: undoes };
}

/** Most runs are spared. */
export function maybe<T, N>(arbitrary: fc.Arbitrary<T>, none: N): fc.Arbitrary<T | N> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(none) }, { weight: 1, arbitrary });
}

/** Waits are for an event by the place of the step behind them: no two of one way are for the same. */
export function documented(
  {
    after,
    join,
    retry: policy = { retries: 0 },
  }: { readonly after: readonly Sketch[]; readonly join?: "any"; readonly retry?: RetryDocument },
  place: number,
  event = `e${place}`,
): StepDocument {
  return {
    after: after.map(({ from, looks, fails, async, ...kept }): EdgeDocument => {
      const edgeFrom = { step: from === 0 || from > place ? "$trigger" : `s${from - 1}`, ...kept };
      if (async === undefined)
        return fails === true && edgeFrom.step !== "$trigger" ? { ...edgeFrom, on: "failure" } : edgeFrom;
      const waiting = { ...edgeFrom, async: { event, ...async } };
      return looks === true && async.onTimeout !== true ? { ...waiting, if: ofEvent } : waiting;
    }),
    retry: policy,
    ...(join === undefined ? {} : { join }),
  };
}

/** Each step takes another time, so that few things happen at once. */
export function timed({ takesMs = 0, ...rest }: Behaviour, place: number): Behaviour {
  return takesMs === 0 ? rest : { ...rest, takesMs: takesMs + Math.round(7 * 3 ** place) };
}
