/** The first step of a new project, in TypeScript. */
export const greetTypescript = `// What a step gets: the event, the outputs of the steps before, and who runs this attempt.
interface Input {
  event: { id: string; name: string; data: { name?: string }; ts: number };
  steps: Record<string, unknown>;
  ctx: { runId: string; stepId: string; attempt: number; deadline: number; idempotencyKey: string };
}

// What it returns is its output. What it throws is tried again, unless the error has \`fatal: true\`.
export default async ({ event, ctx }: Input) => {
  const { name = "world" } = event.data;
  console.log(\`greeting \${name}, attempt \${ctx.attempt}\`);
  return { text: \`Hello, \${name}!\` };
};
`;

/** The same in JavaScript. */
export const greetJavascript = `// A step gets the event, the outputs of the steps before, and who runs this attempt. What it returns is its output.
// What it throws is tried again, unless the error has \`fatal: true\`.
export default async ({ event, ctx }) => {
  const { name = "world" } = event.data;
  console.log(\`greeting \${name}, attempt \${ctx.attempt}\`);
  return { text: \`Hello, \${name}!\` };
};
`;

/** The second step, which reads what the first one put out. */
export const countTypescript = `interface Input {
  steps: { greet: { text: string } };
}

export default ({ steps }: Input) => ({ letters: steps.greet.text.length });
`;

/** The same in JavaScript. */
export const countJavascript = `export default ({ steps }) => ({ letters: steps.greet.text.length });
`;

/** The types of millrace:step for a typed step in TypeScript. */
export const stepTypes = `// wit/step.wit in TypeScript, as a JavaScript component sees it: names in camel case, u64 as a number, an option that
// is not there as null, the error of a result as what is thrown.

type Json = string;

interface StepInput {
  event: {
    id: string;
    name: string;
    data: Json;
    user: Json | null;
    ts: number;
    v: string | null;
    attributes: Json | null;
  };
  steps: { step: string; output: Json }[];
  ctx: {
    runId: string;
    functionId: string;
    functionVersion: string;
    stepId: string;
    attempt: number;
    deadline: number;
    idempotencyKey: string;
    user: Json | null;
    traceparent: string | null;
    failure: Json | null;
  };
}

type StepFailure =
  | { tag: "retry"; val: { message: string; after: number | null } }
  | { tag: "fatal"; val: string };

declare module "millrace:step/log" {
  export function log(level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
}
`;

/** A typed first step, in TypeScript. */
export const greetTypedTypescript = `// A typed step exports the handler of millrace:step: it gets its input as records, with JSON as text, and returns its
// output as JSON text. What it throws is tried again, but for a StepFailure with the tag "fatal".
import { log } from "millrace:step/log";

export const handler = {
  run({ event, ctx }: StepInput): Json {
    const { name = "world" } = JSON.parse(event.data) as { name?: string };
    log("info", \`greeting \${name}, attempt \${ctx.attempt}\`);
    return JSON.stringify({ text: \`Hello, \${name}!\` });
  },
};
`;

/** The same in JavaScript. */
export const greetTypedJavascript = `// A typed step exports the handler of millrace:step: it gets its input as records, with JSON as text, and returns its
// output as JSON text. What it throws is tried again, but for { tag: "fatal", val: "why" }.
import { log } from "millrace:step/log";

export const handler = {
  run({ event, ctx }) {
    const { name = "world" } = JSON.parse(event.data);
    log("info", \`greeting \${name}, attempt \${ctx.attempt}\`);
    return JSON.stringify({ text: \`Hello, \${name}!\` });
  },
};
`;
