import { buildProject } from "../../../host/build/build.ts";
import type { Project } from "../../../host/build/project.ts";
import type { Event } from "../../../host/event/event.ts";
import type { RunDetail } from "../../../host/run/view.ts";
import { viewRun } from "../../../host/run/view.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { systemClock, type Clock } from "../../../host/clock.ts";
import { createHost, type HostConfig } from "../../../host/index.ts";
import type { RunSummary } from "../../../host/state/state.ts";
import type { EngineChoice } from "../../../runtime/wasm/choice.ts";
import type { Json } from "../../../runtime/json.ts";

/** A host in this process that runs a project. */
export interface ProjectHost {
  /** Publishes an event, and then others; gives what became of the one run that the first one started. */
  run(event: unknown, then?: readonly unknown[]): Promise<RunDetail>;
  /** The outputs of that run by step id; throws when it did not complete. */
  outputs(event: unknown): Promise<Readonly<Record<string, Json>>>;
  /** The lines of logs that were told of while attempts ran. */
  logged(): readonly string[];
  /** Resolves when the newest run is so. */
  until(holds: (run: RunSummary) => boolean): Promise<void>;
  /** The newest run that an event of this name began which is so, once it is over. */
  newest(eventName: string, holds: (event: Event) => boolean): Promise<RunDetail>;
  close(): Promise<void>;
}

/** Builds a project and deploys it to a host in memory. */
export async function startProject(
  project: Project,
  cacheDir: string,
  engine: EngineChoice = "auto",
  secrets: HostConfig["secrets"] = new Map(),
  clock: Clock = systemClock,
): Promise<ProjectHost> {
  const { functions, problems } = await buildProject(project, { cacheDir: `${cacheDir}/build` });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const host = await createHost({ store: "memory:", cacheDir: `${cacheDir}/engine`, engine, secrets, clock });
  const logged: string[] = [];
  host.live.subscribe((message) => {
    if (message.type === "attempt.logged") logged.push(message.line.message);
  });
  await host.setEventSchemas(project.eventSchemas);
  for (const { document, components } of functions) {
    const digests: Record<string, string> = {};
    for (const [step, component] of Object.entries(components)) {
      digests[step] = await host.putArtifact(await component.bytes());
    }
    await host.deploy([functionVersion(document, digests, 0)]);
  }

  const run = async (event: unknown, then: readonly unknown[] = []): Promise<RunDetail> => {
    const [published] = await host.publish([event]);
    if (published === undefined) throw new Error("the event was not published");
    if (then.length > 0) await host.publish(then);
    for (;;) {
      const { runs } = await host.runs.query({ eventId: published.id, limit: 10 });
      if (runs.length > 1) throw new Error(`${runs.length} runs where one was expected`);
      const [summary] = runs;
      const stored = summary === undefined ? undefined : await host.runs.load(summary.id);
      if (stored?.finishedAt !== undefined) return viewRun(functions[0]?.document, stored);
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  return {
    run,
    async outputs(event) {
      const { status, steps, failure } = await run(event);
      if (status !== "completed") throw new Error(`the run is ${status}: ${JSON.stringify(failure)}`);
      return Object.fromEntries(
        steps.flatMap(({ id, output }) => (output === undefined ? [] : [[id, output]])),
      );
    },
    logged: () => logged,
    async until(holds) {
      for (;;) {
        const [newest] = (await host.runs.query({ limit: 1 })).runs;
        if (newest !== undefined && holds(newest)) return;
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    async newest(eventName, holds) {
      for (;;) {
        for (const { id, eventName: name, finishedAt } of (await host.runs.query({ limit: 100 })).runs) {
          const stored =
            name === eventName && finishedAt !== undefined ? await host.runs.load(id) : undefined;
          const run = stored && viewRun(functions[0]?.document, stored);
          if (run !== undefined && holds(run.event)) return run;
        }
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    close: () => host.close(),
  };
}
