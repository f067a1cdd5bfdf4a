// wit/step.wit in TypeScript, as a JavaScript component sees it: names in camel case, u64 as a number, an option that
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
