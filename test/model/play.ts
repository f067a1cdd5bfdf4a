import type { EdgeDocument, FunctionDocument } from "../../host/function/document.ts";
import { functionVersion } from "../../host/function/define.ts";
import { createHost, runId, type Host } from "../../host/index.ts";
import { placeOf } from "../../host/run/place.ts";
import { Failure, inProcessDrivers, type Program } from "../host/in-process-driver.ts";
import type { Behaviour, Expected, Scenario } from "./scenario.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** A host in virtual time, on which scenarios are played one after the other. */
export interface Stage {
  /** Resolves to what became of the run, on a host that does what is due so much later. */
  play(scenario: Scenario, lateMs?: number): Promise<Expected>;
  close(): Promise<void>;
}

/** What steps may be called. */
const stepIds = ["s0", "s1", "s2", "s3", "s4"].flatMap((id) => [id, `u${id}`]);

/** Things that happen in one scenario, at most; what never comes to rest has more. */
const mostThings = 500;
/** Turns of the process in which nothing is heard of the host, until it has nothing to do. */
const quietTurns = 12;

export async function createStage(): Promise<Stage> {
  const clock = createVirtualClock();
  let count = 0;
  let from = 0;
  let attempts: Record<string, number[]> = {};
  /** Attempts of runs that were over. */
  const stray: string[] = [];
  let programs: Scenario["programs"] = {};

  const program: Program = async ({ ctx, index }, signal) => {
    const document = `f${count}`;
    if (ctx.functionId !== document && !ctx.functionId.startsWith(`${document}-`))
      stray.push(`${ctx.stepId} of ${ctx.functionId}`);
    const begun = (attempts[placeOf(ctx.stepId, index)] ??= []);
    begun.push(clock.now() - from);
    const { items = [], ...own }: Behaviour = programs[ctx.stepId] ?? {};
    const { takesMs = 0, ...how }: Behaviour = index === undefined ? own : { ...items[index] };
    if (takesMs > 0) {
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.schedule(clock.now() + takesMs, resolve);
        signal?.addEventListener("abort", () => {
          cancel();
          reject(new Failure({ code: "ERR_STEP_CANCELLED" }));
        });
      });
    }
    if (how.fatal === true) throw new Failure({ retry: false });
    if (begun.length <= (how.fails ?? 0)) throw new Failure({});
    const { emits } = own;
    return emits === undefined ? ctx.stepId : { emit: [{ name: named(emits, count), data: { key: 1 } }] };
  };
  const drivers = inProcessDrivers(Object.fromEntries([...stepIds, "handler"].map((id) => [id, program])));
  const host: Host = await createHost({ store: "memory:", clock, drivers });
  let quiet = 0;
  host.live.subscribe(() => (quiet = 0));
  /** All that can happen at this time has: nothing has for a while. */
  const settled = async (): Promise<void> => {
    for (quiet = 0; quiet < quietTurns; quiet += 1)
      await new Promise((resolve) => void setImmediate(resolve));
  };

  return {
    async play(scenario, lateMs = 0) {
      clock.lateMs = lateMs;
      count += 1;
      const id = `f${count}`;
      const name = (event: string): string => named(event, count);
      const document = renamed({ id, triggers: [{ event: "begin" }], ...scenario.document }, name);
      const all = [document, ...invokedBy(document)];
      await host.deploy(all.map((one) => functionVersion(one, {}, 0)));
      attempts = {};
      ({ programs } = scenario);
      const publish = (event: string, key: number) => host.publish([{ name: name(event), data: { key } }]);
      const before = scenario.events.filter(({ at }) => at < 0);
      for (const event of before) await publish(event.name, event.key);
      from = clock.now();
      const [published] = await publish("begin", 1);
      const run = runId(id, published!.id);
      const happens = [
        ...scenario.events
          .slice(before.length)
          .map(({ at, ...event }) => ({ at, do: () => publish(event.name, event.key) })),
        ...scenario.pauses.flatMap((pause) => [
          { at: pause.from, do: () => host.commands.pause(run) },
          { at: pause.to, do: () => host.commands.resume(run) },
        ]),
        ...(scenario.cancelAt === undefined
          ? []
          : [{ at: scenario.cancelAt, do: () => host.commands.cancel(run) }]),
      ].toSorted((one, other) => one.at - other.at);
      for (let things = 0; ; things += 1) {
        await settled();
        if ((await host.runs.load(run))?.finishedAt !== undefined) break;
        if (things > mostThings) throw new Error("the run does not come to rest");
        const [next] = happens;
        const at = next === undefined ? Number.POSITIVE_INFINITY : from + next.at;
        if (Math.min(at, clock.next) === Number.POSITIVE_INFINITY) {
          throw new Error(
            `nothing is left that would go on with the run: ${JSON.stringify((await host.runs.load(run))?.history)}`,
          );
        }
        clock.advance(Math.min(at, clock.next));
        if (next === undefined || clock.now() < at) continue;
        await settled();
        happens.shift();
        await next.do().catch(unlessOver);
      }
      for (const one of all) await host.remove(one.id);
      if (stray.length > 0) throw new Error(`attempts of runs that were over began: ${stray.join()}`);
      const { history, status, finishedAt } = (await host.runs.load(run))!;
      const end = history.at(-1);
      const { undone = [], notUndone = [] } =
        end?.type === "run.failed" || end?.type === "run.cancelled" ? end : {};
      return {
        undone,
        notUndone,
        status: status as Expected["status"],
        endsAt: finishedAt! - from,
        attempts,
        skipped:
          status === "completed"
            ? history.flatMap((entry) => (entry.type === "step.skipped" ? [entry.step] : [])).toSorted()
            : [],
      };
    },
    close: () => host.close(),
  };
}

/** An event of one scenario. */
function named(event: string, scenario: number): string {
  return `${event}/${scenario}`;
}

/** The functions that steps of a document invoke: each does what the step would, of which it has the name. */
function invokedBy({ steps }: FunctionDocument): readonly FunctionDocument[] {
  return Object.entries(steps).flatMap(([step, { invoke }]) =>
    invoke === undefined
      ? []
      : [
          {
            id: invoke.function,
            triggers: [{ event: `${invoke.function}/begin` }],
            steps: { [step]: {} },
            retry: { retries: 0 },
          },
        ],
  );
}

/** The same with events of its own, so that runs of earlier scenarios are no concern of it. */
function renamed(document: FunctionDocument, name: (event: string) => string): FunctionDocument {
  const edge = (one: EdgeDocument): EdgeDocument =>
    one.async === undefined ? one : { ...one, async: { ...one.async, event: name(one.async.event ?? "") } };
  const steps = Object.entries(document.steps).map(([id, step]) => [
    id,
    {
      ...step,
      ...(step.after && { after: step.after.map(edge) }),
      ...(step.invoke && { invoke: { function: `${document.id}-${id}` } }),
    },
  ]);
  return {
    ...document,
    triggers: [{ event: name("begin") }],
    // The order in which a document has its steps is of no account.
    steps: Object.fromEntries(steps.toReversed()) as FunctionDocument["steps"],
    ...(document.cancel === undefined
      ? {}
      : { cancel: document.cancel.map((cancel) => ({ ...cancel, event: name(cancel.event) })) }),
  };
}

function unlessOver(error: unknown): void {
  if ((error as { code?: string }).code !== "ERR_RUN_STATE") throw error;
}
