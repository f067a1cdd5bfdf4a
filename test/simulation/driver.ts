import type { Attempt, AttemptResult, Driver, RuntimeName } from "../../runtime/driver.ts";
import { placeOf } from "../../host/run/place.ts";
import { allNames } from "./documents.ts";
import { awaitedName } from "./documents-items.ts";
import type { Machine, World } from "./machine.ts";
import { isClaim } from "./server-runs.ts";
import { checkBeginning, checkInput } from "./invariants-input.ts";
import { checkSlots } from "./invariants-flow.ts";
import type { Server } from "./server.ts";

/** Every execution of a step that began, as the hosts' drivers saw it. */
export interface Executions {
  /** By run, place and attempt: how often. */
  readonly counts: ReadonlyMap<string, number>;
  add(key: string): number;
  /** By machine, run and place: how often the run had changed hands when the execution that goes on began. */
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

/** Events behind which steps emit none: functions that start each other need not come to an end. */
const mostStored = 200;

interface DriverOptions {
  readonly world: World;
  readonly server: Server;
  readonly machine: Machine;
  readonly executions: Executions;
  /** The share of attempts that outlive a lease. */
  readonly slow: number;
  /** The share of attempts that fail. */
  readonly failing: number;
  /** Hears of runs that execute an item, or undo something. */
  readonly meddle: (runId: string) => void;
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
  const { world, machine, executions, server, meddle } = options;
  const { scheduler, chance, trace } = world;
  const { runId, stepId, attempt } = input.ctx;
  const place = placeOf(stepId, input.index);
  const count = executions.add(`${runId}:${place}:${attempt}`);
  trace.add(`${scheduler.now()} ${machine.name} executes ${runId}:${place}:${attempt}`);
  const violated = (what: string): void =>
    world.violated(`${machine.name} executes ${runId}:${place}:${attempt} ${what}`);
  if (machine.closed) violated("after it was closed");
  const record = server.runs.records.get(runId);
  const hands = record?.writes.filter(isClaim).length ?? 0;
  const front = `${machine.name}:${runId}:`;
  const own = `${front}${place}`;
  if (executions.underWay.get(own) === hands) violated("that it is executing already");
  executions.underWay.set(own, hands);
  if (record === undefined) violated("of a run that is not stored");
  else {
    const underWay = [...executions.underWay]
      .filter(([key, began]) => began === hands && key.startsWith(front))
      .map(([key]) => key.slice(front.length));
    checkInput({ input, record, machine, server, violated });
    checkBeginning({ input, record, machine, server, violated, underWay });
    checkSlots({ record, machine, server, violated });
  }
  if (input.index !== undefined || input.output !== undefined) meddle(runId);

  const drawn = draw(options, `${place}.${attempt}.${count}`, input);
  const { emit } = program.capabilities ?? {};
  const result =
    emit === undefined || server.stored.length > mostStored
      ? drawn
      : emitting(drawn, emit.includes(awaitedName) ? emit : allNames, chance);
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
function emitting(result: AttemptResult, names: readonly string[], chance: World["chance"]): AttemptResult {
  if (!result.ok) return result;
  const emit = Array.from({ length: chance.below(3) }, () => ({
    name: chance.pick(names),
    data: { large: chance.happens(0.5), key: chance.below(2) },
  }));
  return { ...result, output: { ...(result.output as object), emit } };
}

function draw(
  { world: { chance }, failing }: DriverOptions,
  unique: string,
  { item, index }: Attempt["input"],
): AttemptResult {
  if (!chance.happens(failing)) {
    const own = index === undefined ? {} : { item: item ?? null, index };
    return { ok: true, output: { unique, flag: chance.happens(0.5), ...own }, logs: [] };
  }
  const retry = chance.happens(0.8);
  const wish = retry && chance.happens(0.2) ? { retryAfterMs: chance.between(0, 20_000) } : {};
  return { ok: false, failure: { code: "ERR_STEP_FAILED", message: unique, retry, ...wish }, logs: [] };
}
