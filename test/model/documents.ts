import * as fc from "fast-check";
import { sameKey, type Behaviour, type FlowEvent, type Scenario } from "./scenario.ts";
import {
  behaving,
  behaviour,
  documented,
  edge,
  flowing,
  items,
  join,
  maybe,
  most,
  retry,
  step,
  timed,
  undoing,
  type Made,
} from "./sketches.ts";

const moments = [0, 1e3, 1e4, 1.1e4, 5e4, 3.6e6, 3.61e6, 2.592e9, 3.1536e10] as const;

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

const around = fc.record(
  {
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
  { requiredKeys: ["events", "pauses", "cancelAt", "timeout", "cancel"] },
);
type Around = typeof around extends fc.Arbitrary<infer T> ? T : never;

function assembled(
  steps: readonly Made[],
  { handler, timeout, cancel: cancels, cancelAt, events: happened, pauses: paused }: Around,
): Scenario {
  return {
    document: {
      steps: {
        ...Object.assign({}, ...steps.map(flowing)),
        ...(handler === undefined ? {} : { handler: { retry: handler.retry } }),
      },
      ...(handler === undefined ? {} : { onFailure: "handler" }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(cancels === undefined ? {} : { cancel: cancels }),
    },
    programs: {
      ...Object.assign({}, ...steps.map(behaving)),
      ...(handler === undefined ? {} : { handler: timed(handler.program, most.steps) }),
    },
    events: named(happened, [
      ...steps.flatMap(({ after }, i) => (after.some(({ async }) => async !== undefined) ? [`e${i}`] : [])),
      ...(cancels === undefined ? [] : ["stop"]),
    ]),
    pauses: paused,
    ...(cancelAt === undefined ? {} : { cancelAt }),
  };
}

/** Documents with all that a flow may have, and what befalls a run. */
export const scenarios: fc.Arbitrary<Scenario> = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: most.steps }), around)
  .map(([steps, rest]) => assembled(steps, rest));

/** Steps that take their time, of which most complete, until one fails behind them, or the run is cancelled: there is much to undo. */
export const sagas: fc.Arbitrary<Scenario> = fc
  .tuple(
    fc.array(
      fc.record(
        {
          from: fc.nat(most.steps),
          items: maybe(items, undefined),
          undoing,
          program: behaviour,
          retry,
          invokes: maybe(fc.constant<true>(true), undefined),
        },
        { requiredKeys: ["from", "undoing", "program"] },
      ),
      { minLength: 2, maxLength: most.steps },
    ),
    around,
  )
  .map(([steps, rest]) => {
    const last = steps.length - 1;
    const made = steps.map(({ from, ...one }, place): Made => {
      const program = place < last ? slow(one.program) : { fatal: true as const, takesMs: 7e3 };
      const each = one.items?.each.map(slow);
      const back = { ...one.undoing, program: slow(one.undoing.program), each: one.undoing.each.map(slow) };
      return {
        ...one,
        after: [{ from: place === last ? last : Math.min(from, place) }],
        program,
        undoing: back,
        ...(one.items === undefined || place === last
          ? { items: undefined }
          : { items: { ...one.items, each: each ?? [] } }),
      };
    });
    return assembled(made, rest);
  });

function slow({ takesMs = 1e3, ...how }: Behaviour): Behaviour {
  return { ...how, takesMs };
}

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
