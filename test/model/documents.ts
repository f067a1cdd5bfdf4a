import * as fc from "fast-check";
import type { EdgeDocument, RetryDocument, StepDocument } from "../../host/function/document.ts";
import { conditions, ofEvent, sameKey, type Behaviour, type FlowEvent, type Scenario } from "./model.ts";

/** Whole seconds are for timers; what comes from outside comes a moment before or after. */
const durations = ["1s", "10s", "1h", "30d", "365d"] as const;
const moments = [0, 1e3, 1e4, 1.1e4, 5e4, 3.6e6, 3.61e6, 2.592e9, 3.1536e10] as const;
const most = { steps: 5, edges: 3, events: 6 };

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

const edge: fc.Arbitrary<Sketch> = fc.record(
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

const retry = fc.record({
  retries: fc.nat(2),
  backoff: fc.record({
    initial: fc.constantFrom("1s", "1h", "30d"),
    factor: fc.constantFrom(1, 2),
    jitter: fc.constant(0),
    max: fc.constant("365d"),
  }),
});
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3), fails: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ takesMs: fc.constantFrom(1e3, 7e3), fatal: fc.constant<true>(true) }) },
);
const join = fc.constant<"any">("any");
const step = fc.record(
  {
    after: fc.array(edge, { minLength: 1, maxLength: most.edges }),
    join,
    retry,
    program: behaviour,
  },
  { requiredKeys: ["after", "program"] },
);

/** A moment before or after a whole second, so that a wait's end is met from both sides. */
const near = fc.tuple(fc.constantFrom(...moments), fc.constantFrom(1, -1)).map(([at, by]) => at + by);

/** Events before it is known which ones the document waits for. */
const events = fc.array(fc.record({ at: near, which: fc.nat(9), key: fc.constantFrom(1, 1, 2) }), {
  maxLength: most.events,
});

/** Pauses begin and end at times that nothing else has. */
const pauses = fc
  .uniqueArray(fc.constantFrom(...moments), { maxLength: 4 })
  .map((times) => times.toSorted((one, other) => one - other))
  .map((times) =>
    Array.from({ length: Math.floor(times.length / 2) }, (_, i) => ({
      from: times[2 * i]! + 331 + i,
      to: times[2 * i + 1]! + 337 + i,
    })),
  );

const cancel = fc.array(
  fc.record(
    { event: fc.constant("stop"), if: fc.constant(sameKey), timeout: fc.constantFrom("10s", "30d") },
    { requiredKeys: ["event"] },
  ),
  { minLength: 1, maxLength: 2 },
);

/** Documents with all that a flow may have, and what befalls a run. */
export const scenarios: fc.Arbitrary<Scenario> = fc
  .record(
    {
      steps: fc.array(step, { minLength: 1, maxLength: most.steps }),
      handler: fc.record({ retry, program: behaviour }),
      events,
      pauses: maybe(pauses, []),
      cancelAt: maybe(
        near.map((at) => Math.max(at, 0) + 500),
        undefined,
      ),
      timeout: maybe(fc.constantFrom("5003ms", "1200003ms", "40d"), undefined),
      cancel: maybe(cancel, undefined),
    },
    { requiredKeys: ["steps", "events", "pauses", "cancelAt", "timeout", "cancel"] },
  )
  .map(({ steps, handler, timeout, cancel: cancels, cancelAt, events: happened, pauses: paused }) => ({
    document: {
      steps: {
        ...Object.fromEntries(steps.map((made, i) => [`s${i}`, documented(made, i)])),
        ...(handler === undefined ? {} : { handler: { retry: handler.retry } }),
      },
      ...(handler === undefined ? {} : { onFailure: "handler" }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(cancels === undefined ? {} : { cancel: cancels }),
    },
    programs: {
      ...Object.fromEntries(steps.map(({ program }, i) => [`s${i}`, timed(program, i)])),
      ...(handler === undefined ? {} : { handler: timed(handler.program, most.steps) }),
    },
    events: named(happened, [
      ...steps.flatMap(({ after }, i) => (after.some(({ async }) => async !== undefined) ? [`e${i}`] : [])),
      ...(cancels === undefined ? [] : ["stop"]),
    ]),
    pauses: paused,
    ...(cancelAt === undefined ? {} : { cancelAt }),
  }));

/** In order, with those before the run's beginning first. */
function named(
  happened: readonly { readonly at: number; readonly which: number; readonly key: number }[],
  names: readonly string[],
): readonly FlowEvent[] {
  return happened
    .map(({ which, ...event }) => ({ ...event, name: names[which % names.length] ?? "none" }))
    .toSorted((one, other) => one.at - other.at);
}

/** One step behind the other, whose waits are for one of two events: what one has taken is nothing to those behind it. */
export const chains: fc.Arbitrary<Scenario> = fc
  .record({
    links: fc.array(fc.record({ edge, which: fc.nat(1), program: behaviour }), {
      minLength: 2,
      maxLength: most.steps,
    }),
    events,
    pauses: maybe(pauses, []),
  })
  .map(({ links, events: happened, pauses: paused }) => ({
    document: {
      steps: Object.fromEntries(
        links.map(({ edge: sketch, which }, i) => [
          `s${i}`,
          documented({ after: [{ ...sketch, from: i }] }, i, `e${which}`),
        ]),
      ),
    },
    programs: Object.fromEntries(links.map(({ program }, i) => [`s${i}`, timed(program, i)])),
    events: named(happened, ["e0", "e1"]),
    pauses: paused,
  }));

/** All steps come after the run's beginning, so that a host that is late is late once on each way. */
export const flat: fc.Arbitrary<Scenario> = fc
  .record({
    steps: fc.array(
      fc.record(
        { after: fc.array(edge, { minLength: 1, maxLength: most.edges }), join },
        { requiredKeys: ["after"] },
      ),
      { minLength: 1, maxLength: most.steps },
    ),
    events,
  })
  .map(({ steps, events: happened }) => ({
    document: {
      steps: Object.fromEntries(
        steps.map(({ after, ...made }, i) => [
          `s${i}`,
          documented({ ...made, after: after.map((sketch) => ({ ...sketch, from: 0 })) }, i),
        ]),
      ),
    },
    programs: {},
    events: named(
      happened,
      steps.map((_, i) => `e${i}`),
    ),
    pauses: [],
  }));

/** Most runs are spared. */
function maybe<T, N>(arbitrary: fc.Arbitrary<T>, none: N): fc.Arbitrary<T | N> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(none) }, { weight: 1, arbitrary });
}

/** Waits are for an event by the place of the step behind them: no two of one way are for the same. */
function documented(
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
function timed({ takesMs = 0, ...rest }: Behaviour, place: number): Behaviour {
  return takesMs === 0 ? rest : { ...rest, takesMs: takesMs + 7 * 3 ** place };
}
