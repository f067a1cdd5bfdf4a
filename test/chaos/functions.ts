import type { HistoryEntry, RunStatus } from "../../host/run/history.ts";
import { triggerEvent, type FunctionDocument } from "../../host/function/document.ts";
import { functionVersion } from "../../host/function/define.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import type { Json } from "../../runtime/json.ts";
import { pause } from "./insist.ts";
import { Failure, type Program } from "../host/in-process-driver.ts";

/** The events that chaos publishes; each starts the runs of every function that it triggers. */
export const eventNames = [
  "chaos.quick",
  "chaos.slow",
  "chaos.flaky",
  "chaos.broken",
  "chaos.wait",
  "chaos.fan",
  "chaos.elsewhere",
] as const;

export type EventName = (typeof eventNames)[number];

/** The third attempt of a flaky step succeeds. */
const flakyAttempts = 3;
const retry = { retries: 5, backoff: { initial: "50ms", factor: 2, jitter: 0 } };

const documents: readonly FunctionDocument[] = [
  {
    id: "quick",
    triggers: [{ event: "chaos.quick" }],
    steps: { a: {}, b: { after: [{ step: "a" }] }, c: { after: [{ step: "b" }] } },
  },
  // A second function of the same event: one acknowledgement stands for several runs.
  { id: "audit", triggers: [{ event: "chaos.quick" }, { event: "chaos.wait" }], steps: { a: {} } },
  {
    id: "slow",
    triggers: [{ event: "chaos.slow" }],
    steps: { a: {}, slow: { after: [{ step: "a" }] }, z: { after: [{ step: "slow" }] } },
  },
  {
    id: "flaky",
    triggers: [{ event: "chaos.flaky" }],
    retry,
    steps: { flaky: {}, b: { after: [{ step: "flaky" }] } },
  },
  {
    id: "broken",
    triggers: [{ event: "chaos.broken" }],
    onFailure: "sweep",
    steps: { a: {}, broken: { after: [{ step: "a" }] }, never: { after: [{ step: "broken" }] }, sweep: {} },
  },
  {
    id: "wait",
    triggers: [{ event: "chaos.wait" }],
    steps: {
      a: {},
      b: { after: [{ step: "a", wait: "1300ms" }] },
      c: { after: [{ step: "b", wait: "3s" }] },
    },
  },
  {
    id: "fan",
    triggers: [{ event: "chaos.fan" }],
    retry,
    steps: {
      a: {},
      b1: { after: [{ step: "a" }] },
      b2: { after: [{ step: "a" }] },
      pause3: { after: [{ step: "a" }] },
      flaky4: { after: [{ step: "a" }] },
      join: { after: ["b1", "b2", "pause3", "flaky4"].map((step) => ({ step })) },
    },
  },
  {
    id: "elsewhere",
    triggers: [{ event: "chaos.elsewhere" }],
    steps: {
      a: {},
      there: { after: [{ step: "a" }], runtime: { type: "http" } },
      c: { after: [{ step: "there" }] },
    },
  },
];

export const versions: readonly FunctionVersion[] = documents.map((document) =>
  functionVersion(document, {}, 0),
);

/** The ids of the functions that events of this name start. */
export function triggered(name: string): readonly string[] {
  return documents
    .filter(({ id, triggers }) => triggers.some((trigger) => triggerEvent(id, trigger) === name))
    .map(({ id }) => id);
}

/** The programs of all steps; `executed` hears of each execution as it begins. */
export function programs(
  slowMs: number,
  executed: (runId: string, stepId: string, attempt: number) => void,
): Readonly<Record<string, Program>> {
  const program: Program = async ({ event, steps, ctx: { runId, stepId, attempt } }) => {
    executed(runId, stepId, attempt);
    if (stepId.startsWith("slow")) await pause(slowMs);
    if (stepId.startsWith("pause")) await pause(slowMs / 10);
    if (stepId.startsWith("broken")) throw new Failure({ message: "broken", retry: false });
    if (stepId.startsWith("flaky") && attempt < flakyAttempts) throw new Failure({ message: "not yet" });
    return output(stepId, event.id, Object.keys(steps));
  };
  const ids = documents.flatMap(({ steps }) => Object.keys(steps));
  return Object.fromEntries(ids.map((id) => [id, program]));
}

function output(stepId: string, eventId: string, from: readonly string[]): Json {
  return `${stepId} of ${eventId} after ${from.toSorted().join(" ")}`;
}

/** What the history of a finished run must hold. */
interface Expected {
  readonly status: RunStatus;
  readonly outputs: ReadonlyMap<string, Json>;
  /** Failed attempts by step. */
  readonly failures: ReadonlyMap<string, number>;
}

function expected(functionId: string, eventId: string): Expected {
  const steps = documents.find(({ id }) => id === functionId)?.steps ?? {};
  const before = (id: string): string[] =>
    (steps[id]?.after ?? []).flatMap(({ step }) => [step, ...before(step)]);
  const outputs = new Map<string, Json>();
  const failures = new Map<string, number>();
  for (const id of Object.keys(steps)) {
    if (id.startsWith("broken")) failures.set(id, 1);
    if (id.startsWith("flaky")) failures.set(id, flakyAttempts - 1);
    if (id.startsWith("broken") || id === "never") continue;
    // The step that runs when all is lost is given whatever has an output.
    const from = new Set(id === "sweep" ? ["a"] : before(id));
    outputs.set(id, output(id, eventId, [...from]));
  }
  return { status: functionId === "broken" ? "failed" : "completed", outputs, failures };
}

/** Everything that is wrong with the history of a finished run. */
export function faultsOf(
  functionId: string,
  eventId: string,
  { status, history }: { readonly status: RunStatus; readonly history: readonly HistoryEntry[] },
): string[] {
  const wanted = expected(functionId, eventId);
  const faults: string[] = [];
  if (status !== wanted.status) faults.push(`is ${status} and not ${wanted.status}`);
  if (history.filter(({ type }) => type === "run.started").length !== 1 || history[0]?.type !== "run.started")
    faults.push("does not begin exactly once");
  const ends = history.filter(({ type }) => /^run\.(?:completed|failed|cancelled)$/.test(type));
  if (ends.length !== 1 || history.at(-1) !== ends[0]) faults.push("does not end exactly once, at the end");

  const attempts = new Map<string, HistoryEntry[]>();
  for (const entry of history) {
    if (entry.type !== "step.completed" && entry.type !== "step.failed") continue;
    const earlier = attempts.get(entry.step) ?? [];
    attempts.set(entry.step, [...earlier, entry]);
    if (entry.attempt !== earlier.length + 1)
      faults.push(`has attempt ${entry.attempt} of ${entry.step} as its ${earlier.length + 1}.`);
  }
  for (const step of new Set([...attempts.keys(), ...wanted.outputs.keys(), ...wanted.failures.keys()])) {
    const entries = attempts.get(step) ?? [];
    const failed = entries.filter(({ type }) => type === "step.failed").length;
    if (failed !== (wanted.failures.get(step) ?? 0)) faults.push(`has ${failed} failures of ${step}`);
    const outputs = entries.flatMap((entry) => (entry.type === "step.completed" ? [entry.output] : []));
    const output = wanted.outputs.get(step);
    if (JSON.stringify(outputs) !== JSON.stringify(output === undefined ? [] : [output]))
      faults.push(`recorded ${JSON.stringify(outputs)} for ${step}`);
  }
  return faults;
}
