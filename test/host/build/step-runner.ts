import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProject, type BuiltProject } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import type { Capabilities } from "../../../runtime/capabilities.ts";
import type { AttemptResult, Driver } from "../../../runtime/driver.ts";
import { createDrivers } from "../../../runtime/drivers.ts";
import type { StepContext, StepInput } from "../../../runtime/input.ts";
import type { EngineChoice } from "../../../runtime/wasm/choice.ts";
import type { Json } from "../../../runtime/json.ts";
import { defaultLimits } from "../../../runtime/limits.ts";

/** What an attempt gets besides the usual. */
export interface Given {
  readonly data?: Json;
  readonly user?: Json;
  readonly v?: string;
  readonly attributes?: StepInput["event"]["attributes"];
  readonly steps?: Readonly<Record<string, Json>>;
  readonly ctx?: Partial<StepContext>;
  readonly capabilities?: Capabilities;
}

/** Steps that were built, and a driver to run them. */
export interface StepRunner {
  readonly built: BuiltProject;
  run(step: string, given?: Given): Promise<AttemptResult>;
  dispose(): Promise<void>;
}

/** How to build and run. */
interface RunnerOptions {
  /** Leave out all steps but these. */
  readonly only?: readonly string[];
  /** "auto" by default. */
  readonly engine?: EngineChoice;
}

/** Builds the one function of a project and runs its steps on the real engine. */
export async function stepRunner(folder: string, options: RunnerOptions = {}): Promise<StepRunner> {
  const { only, engine = "auto" } = options;
  const temporary = await mkdtemp(join(tmpdir(), "millrace-build-"));
  const loaded = await loadProject(folder);
  if (loaded.problems.length > 0) throw new Error(JSON.stringify(loaded.problems));
  const functions = loaded.functions.map((one) => ({
    ...one,
    sources: new Map([...one.sources].filter(([step]) => only?.includes(step) !== false)),
  }));
  const project = { ...loaded, functions };
  const built = await buildProject(project, { cacheDir: join(temporary, "build") });
  const components = built.functions[0]?.components ?? {};
  const bySha256 = new Map(Object.values(components).map((component) => [component.sha256, component]));
  const driver: Driver | undefined = createDrivers({
    artifacts: async (sha256) => bySha256.get(sha256)?.bytes(),
    cacheDir: join(temporary, "engine"),
    engine,
  }).get("wasm");
  if (driver === undefined) throw new Error("there is no driver for wasm");
  return {
    built,
    async run(step, given = {}) {
      const sha256 = components[step]?.sha256;
      if (sha256 === undefined) throw new Error(JSON.stringify(built.problems));
      return driver.execute({
        program: {
          runtime: { type: "wasm" },
          sha256,
          ...(given.capabilities && { capabilities: given.capabilities }),
        },
        input: inputOf(step, given),
        limits: defaultLimits,
      });
    },
    async dispose() {
      await driver.close();
      await rm(temporary, { recursive: true });
    },
  };
}

function inputOf(step: string, { data = {}, user, v, attributes, steps = {}, ctx = {} }: Given): StepInput {
  return {
    event: {
      id: "event-1",
      name: "a/b",
      data,
      ts: 1_700_000_000_123,
      ...(user === undefined ? {} : { user }),
      ...(v === undefined ? {} : { v }),
      ...(attributes === undefined ? {} : { attributes }),
    },
    steps,
    ctx: {
      runId: "run-1",
      functionId: "f",
      functionVersion: "0123456789ab",
      stepId: step,
      attempt: 1,
      deadline: 1_700_000_030_123,
      idempotencyKey: "key-1",
      ...ctx,
    },
  };
}
