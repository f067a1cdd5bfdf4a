import { inspect } from "./inspect.ts";
import type { StepModule } from "./evaluate.ts";

/** `input` of millrace:step/types as the runtime hands it over. */
export interface WorldInput {
  readonly event: {
    readonly id: string;
    readonly name: string;
    readonly data: string;
    readonly user: string | null;
    readonly ts: number;
    readonly v: string | null;
    readonly attributes: string | null;
  };
  readonly steps: readonly { readonly step: string; readonly output: string }[];
  readonly ctx: Readonly<Record<string, string | number | null>>;
}

/** What is wrong with the exports of a step with a default export. */
export function checkFunction({ default: step }: StepModule): string | undefined {
  return typeof step === "function"
    ? undefined
    : `the default export must be a function, and is ${inspect(step)}`;
}

/** Calls `export default ({event, steps, ctx}) => output`; the output as JSON text. */
export async function callFunction(module: StepModule, input: WorldInput): Promise<string> {
  const output = await (module["default"] as (input: object) => unknown)(stepInput(input));
  try {
    return JSON.stringify(output) ?? "null";
  } catch (error) {
    const message = `The step's result can't be written as JSON: ${error instanceof Error ? error.message : inspect(error)}`;
    throw Object.assign(new Error(message), { fatal: true });
  }
}

/** Members of the context that are JSON text. */
const jsonMembers = new Set(["user", "failure"]);

/** The records of the world as one object of plain values; what is not there has no property. */
function stepInput({ event, steps, ctx }: WorldInput): object {
  const { id, name, data, user, ts, v, attributes } = event;
  const context = Object.entries(ctx)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, jsonMembers.has(key) ? JSON.parse(String(value)) : value]);
  return {
    event: {
      id,
      name,
      data: JSON.parse(data),
      ...(user === null ? {} : { user: JSON.parse(user) }),
      ts,
      ...(v === null ? {} : { v }),
      ...(attributes === null ? {} : { attributes: JSON.parse(attributes) }),
    },
    steps: Object.fromEntries(steps.map(({ step, output }) => [step, JSON.parse(output)])),
    ctx: Object.fromEntries(context),
  };
}
