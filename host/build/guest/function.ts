import { inspect } from "./inspect.ts";
import type { StepModule } from "./evaluate.ts";

/** A record of the world: its fields in camel case, an option that is not there as null. */
type WorldRecord = Readonly<Record<string, string | number | null>>;

/** `input` of millrace:step/types as the runtime hands it over. */
export interface WorldInput {
  readonly event: WorldRecord;
  readonly steps: readonly { readonly step: string; readonly output: string }[];
  readonly ctx: WorldRecord;
}

/** What the records have no field for stands among the outputs: the event that was waited for is `$async` there. */
const extra = "$";

/** What is wrong with the exports of a step with a default export. */
export function checkFunction({ default: step }: StepModule): string | undefined {
  return typeof step === "function"
    ? undefined
    : `the default export must be a function, and is ${inspect(step)}`;
}

/** Calls `export default ({event, events, steps, async, item, index, ctx}) => output`; the output as JSON text. */
export async function callFunction(module: StepModule, input: WorldInput): Promise<string> {
  const output = await (module["default"] as (input: object) => unknown)(stepInput(input));
  try {
    return JSON.stringify(output) ?? "null";
  } catch (error) {
    const message = `The step's result can't be written as JSON: ${error instanceof Error ? error.message : inspect(error)}`;
    throw Object.assign(new Error(message), { fatal: true });
  }
}

/** The records of the world as one object of plain values; what is not there has no property. */
function stepInput({ event, steps, ctx }: WorldInput): object {
  const values = steps.map(({ step, output }): [string, unknown] => [step, JSON.parse(output)]);
  const extras = values
    .filter(([name]) => name.startsWith(extra))
    .map(([name, value]): [string, unknown] => [name.slice(extra.length), value]);
  const { links, ...others } = Object.fromEntries(extras);
  return {
    event: plainRecord(event),
    steps: Object.fromEntries(values.filter(([name]) => !name.startsWith(extra))),
    ...others,
    ctx: { ...plainRecord(ctx), ...(links === undefined ? {} : { links }) },
  };
}

/** Fields that are JSON text. */
const jsonFields = new Set(["data", "user", "attributes", "failure"]);

function plainRecord(record: WorldRecord): object {
  const fields: [string, unknown][] = [];
  for (const [name, value] of Object.entries(record)) {
    if (value !== null) fields.push([name, jsonFields.has(name) ? JSON.parse(String(value)) : value]);
  }
  return Object.fromEntries(fields);
}
