import type { FunctionDocument, StepDocument } from "../../host/function/document.ts";
import type { Json } from "../../runtime/json.ts";
import type { Chance } from "./chance.ts";

/** What lists are made of, as the store tells. */
interface OfRun {
  readonly data: Data;
  /** Of all events of a batch. */
  readonly events: readonly Data[] | undefined;
}

interface Data {
  readonly key: number;
  readonly large: boolean;
}

/** The event that no function is triggered by, and that runs wait for. */
export const awaitedName = "order/paid";

type List = (of: OfRun) => readonly Json[];

/** The lists of items, and what each of them is for a run; undefined: of outputs, or of no batch. */
const lists: Readonly<Record<string, List>> = {
  "[1, 2, 3, 4, 5]": () => [1, 2, 3, 4, 5],
  "data.large ? ['a', 'b', 'c'] : []": ({ data }) => (data.large ? ["a", "b", "c"] : []),
  "[data.key, 7].map(n, {'n': n})": ({ data }) => [{ n: data.key }, { n: 7 }],
};
const listOfEvents = "events.map(event, event.data.key)";
/** Of what another step put out: a list where that runs once an item too. */
const outputs = /^steps\.(\w+)$/;

/** The items that a run of this kind has by what is recorded of it; undefined where there is no list. */
export function listOf(
  items: string,
  { data, events }: OfRun,
  outputOf: (step: string) => unknown,
): readonly Json[] | undefined {
  if (items === listOfEvents) return events?.map(({ key }) => key);
  const step = outputs.exec(items)?.[1];
  if (step === undefined) return lists[items]?.({ data, events });
  const output = outputOf(step);
  return Array.isArray(output) ? (output as Json[]) : undefined;
}

/** Has some of the steps run once an item: few of them, so that limits count. */
export function withItems(document: FunctionDocument, chance: Chance): FunctionDocument {
  const { steps, onFailure, batch } = document;
  const some = Object.entries(steps).map(([id, step]): [string, StepDocument] => {
    if (id === onFailure || step.invoke !== undefined || !chance.happens(0.5)) return [id, step];
    const { capabilities: _, ...rest } = step;
    const before = (step.after ?? []).map((edge) => edge.step).filter((other) => other in steps);
    const from = before.length > 0 && chance.happens(0.4) ? [`steps.${chance.pick(before)}`] : [];
    const sources = [...Object.keys(lists), ...(batch === undefined ? [] : [listOfEvents, listOfEvents])];
    return [
      id,
      {
        ...rest,
        forEach: {
          items: from[0] ?? chance.pick(sources),
          concurrency: chance.between(1, 3),
          ...(chance.happens(0.5) ? randomPolicy(chance) : {}),
        },
        ...emitting(chance),
      },
    ];
  });
  return { ...document, steps: Object.fromEntries(some) };
}

/** Nothing that triggers a function: so many items would never come to an end. */
export function emitting(chance: Chance): Pick<StepDocument, "capabilities"> {
  return chance.happens(0.4) ? { capabilities: { emit: [awaitedName] } } : {};
}

function randomPolicy(chance: Chance): Pick<NonNullable<StepDocument["forEach"]>, "onError" | "tolerate"> {
  const tolerate = chance.pick([undefined, 0, 1, "50%"]);
  return { onError: "continue", ...(tolerate === undefined ? {} : { tolerate }) };
}
