import { isDeepStrictEqual } from "node:util";
import type { Attempt, AttemptResult, Driver, RuntimeName } from "../../runtime/driver.ts";
import { allNames } from "./documents.ts";
import type { Machine, World } from "./machine.ts";
import { eventsOf, isClaim, type RunRecord } from "./server-runs.ts";
import { checkSlots } from "./invariants-flow.ts";
import type { Server } from "./server.ts";

/** Every execution of a step that began, as the hosts' drivers saw it. */
export interface Executions {
  /** By run, step and attempt: how often. */
  readonly counts: ReadonlyMap<string, number>;
  add(key: string): number;
  /** By machine, run and step: how often the run had changed hands when the execution that goes on began. */
  readonly underWay: Map<string, number>;
}

export function createExecutions(): Executions {
  const counts = new Map<string, number>();
  return {
    counts,
    underWay: new Map(),
    add(key) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
  };
}

interface DriverOptions {
  readonly world: World;
  readonly server: Server;
  readonly machine: Machine;
  readonly executions: Executions;
  /** The share of attempts that outlive a lease. */
  readonly slow: number;
  /** The share of attempts that fail. */
  readonly failing: number;
}

/** Drivers whose steps take simulated time, fail now and then, and never give the same output twice. */
export function createSimulatedDrivers(
  names: readonly RuntimeName[],
  options: DriverOptions,
): ReadonlyMap<RuntimeName, Driver> {
  return new Map(
    names.map((name) => [
      name,
      {
        name,
        prepare: async () => undefined,
        execute: (attempt) => execute(attempt, options),
        close: async () => undefined,
      },
    ]),
  );
}

function execute({ input, program, signal }: Attempt, options: DriverOptions): Promise<AttemptResult> {
  const { world, machine, executions, server } = options;
  const { scheduler, chance, trace } = world;
  const { runId, stepId, attempt } = input.ctx;
  const count = executions.add(`${runId}:${stepId}:${attempt}`);
  trace.add(`${scheduler.now()} ${machine.name} executes ${runId}:${stepId}:${attempt}`);
  const violated = (what: string): void =>
    world.violated(`${machine.name} executes ${runId}:${stepId}:${attempt} ${what}`);
  if (machine.closed) violated("after it was closed");
  const record = server.runs.records.get(runId);
  if (record === undefined) violated("of a run that is not stored");
  else {
    checkInput({ input, record, machine, server, violated });
    checkSlots({ record, machine, server, violated });
  }

  const own = `${machine.name}:${runId}:${stepId}`;
  const hands = record?.writes.filter(isClaim).length ?? 0;
  if (executions.underWay.get(own) === hands) violated("that it is executing already");
  executions.underWay.set(own, hands);

  const drawn = draw(options, `${stepId}.${attempt}.${count}`);
  const result = program.capabilities?.emit === undefined ? drawn : emitting(drawn, chance);
  const takes = chance.happens(options.slow)
    ? chance.between(5_000, 40_000)
    : chance.between(1, chance.happens(0.2) ? 3_000 : 100);
  return new Promise((settle) => {
    const resolve = (ended: AttemptResult): void => {
      if (executions.underWay.get(own) === hands) executions.underWay.delete(own);
      settle(ended);
    };
    scheduler.after(takes, () => resolve(result), machine);
    // Some programs can't be cut off.
    if (chance.happens(0.2)) return;
    const failure = { code: "ERR_STEP_CANCELLED", message: "cut off", retry: true } as const;
    signal?.addEventListener("abort", () => resolve({ ok: false, failure, logs: [] }), { once: true });
  });
}

/** The same, with some events in the output. */
function emitting(result: AttemptResult, chance: World["chance"]): AttemptResult {
  if (!result.ok) return result;
  const emit = Array.from({ length: chance.below(3) }, () => ({
    name: chance.pick(allNames),
    data: { large: chance.happens(0.5), key: chance.below(2) },
  }));
  return { ...result, output: { ...(result.output as object), emit } };
}

function draw({ world: { chance }, failing }: DriverOptions, unique: string): AttemptResult {
  if (!chance.happens(failing)) {
    return { ok: true, output: { unique, flag: chance.happens(0.5) }, logs: [] };
  }
  const retry = chance.happens(0.8);
  const wish = retry && chance.happens(0.2) ? { retryAfterMs: chance.between(0, 20_000) } : {};
  return { ok: false, failure: { code: "ERR_STEP_FAILED", message: unique, retry, ...wish }, logs: [] };
}

interface Check {
  readonly input: Attempt["input"];
  readonly record: RunRecord;
  readonly machine: Machine;
  readonly server: Server;
  violated(what: string): void;
}

/** What a step is given is recorded, and it comes after all that it must come after. */
function checkInput({ input, record, machine, server, violated }: Check): void {
  const { stepId, attempt, functionVersion } = input.ctx;
  const { history, header, writes } = record;
  if (functionVersion !== header.functionVersion) violated("on another version than its run's");
  if (!writes.some((write) => write.machine === machine.name)) violated("of a run that it never claimed");
  const outputs = new Map(
    history.flatMap((entry) => (entry.type === "step.completed" ? [[entry.step, entry.output]] : [])),
  );
  for (const [step, output] of Object.entries(input.steps)) {
    if (!isDeepStrictEqual(outputs.get(step), output))
      violated(`with an output of ${step} that is not recorded`);
  }
  if (input.events !== undefined) {
    const places = new Map(server.stored.map(({ event, seq }) => [event.id, seq]));
    const all = eventsOf(record).toSorted((one, other) => places.get(one)! - places.get(other)!);
    if (input.events.map(({ id }) => id).join() !== all.join())
      violated("with other events than are recorded");
  }
  const failures = history.filter((entry) => entry.type === "step.failed" && entry.step === stepId);
  if (attempt > failures.length + 1) violated("before its earlier attempts are recorded");
}
