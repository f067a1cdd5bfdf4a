import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProject, type BuiltProject } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { normalCapabilities } from "../../../host/function/capabilities.ts";
import type { CapabilitiesDocument } from "../../../host/function/capabilities.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import { createSqliteKeyValues } from "../../../host/state/sqlite-key-values.ts";
import type { AttemptResult } from "../../../runtime/driver.ts";
import type { Json } from "../../../runtime/json.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import { createWasmDriver } from "../../../runtime/wasm/wasm.ts";
import { stepInput } from "../../runtime/wasm/harness.ts";
import type { CreateEngine } from "../../runtime/wasm/harness.ts";
import { type ProjectFixture, projectFolder } from "./project-fixture.ts";

/** A step's source, and what its document grants it. */
export interface CapableStep {
  /** JavaScript; else a file of test/fixtures/steps has it, in TypeScript. */
  readonly source?: string;
  readonly file?: string;
  readonly capabilities?: CapabilitiesDocument;
}

/** The steps of one function, built. */
export interface CapableProject {
  readonly built: BuiltProject;
  /** Runs steps on an engine, with a key-value store of their own. */
  on(createEngine: CreateEngine): CapableRunner;
  dispose(): Promise<void>;
}

interface CapableRunner {
  run(step: string, data?: Json, capabilities?: CapabilitiesDocument): Promise<AttemptResult>;
  output(step: string, data?: Json, capabilities?: CapabilitiesDocument): Promise<Json>;
  close(): Promise<void>;
}

/** Builds a project of these steps, and of these other files. */
export async function capableProject(
  steps: Readonly<Record<string, CapableStep>>,
  files: Readonly<Record<string, string>> = {},
  cacheDir?: string,
): Promise<CapableProject> {
  // What is kept of a step goes by its file's name: projects that share a cache have none in common.
  const folder = randomUUID().slice(0, 8);
  const document = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: Object.fromEntries(
      Object.entries(steps).map(([id, { capabilities }]) => [
        id,
        { path: `file://./${folder}/${id}`, ...(capabilities && { capabilities }) },
      ]),
    ),
  };
  const sources = Object.entries(steps).map(([id, { source = "", file }]) =>
    file === undefined
      ? [`${folder}/${id}.js`, source]
      : [`${folder}/${id}.ts`, readFileSync(join(import.meta.dirname, "../../fixtures/steps", file), "utf8")],
  );
  const project: ProjectFixture = await projectFolder({
    "function.json": JSON.stringify(document),
    ...Object.fromEntries(sources),
    ...files,
  });
  const temporary = await mkdtemp(join(tmpdir(), "millrace-capable-"));
  const loaded = await loadProject(project.folder);
  if (loaded.problems.length > 0) throw new Error(JSON.stringify(loaded.problems));
  const built = await buildProject(loaded, { cacheDir: cacheDir ?? join(temporary, "build") });
  return {
    built,
    on: (createEngine) => runner(built, steps, createEngine, temporary),
    async dispose() {
      await project.dispose();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

function runner(
  { functions: [built], problems }: BuiltProject,
  steps: Readonly<Record<string, CapableStep>>,
  createEngine: CreateEngine,
  folder: string,
): CapableRunner {
  const components = built?.components ?? {};
  const bySha256 = new Map(Object.values(components).map((component) => [component.sha256, component]));
  const database = openDatabase({ file: ":memory:" });
  const cacheDir = join(folder, "engine");
  const driver = createWasmDriver({
    artifacts: async (sha256) => bySha256.get(sha256)?.bytes(),
    cacheDir,
    engine: createEngine({ cacheDir, parallelism: 2 }),
    services: { keyValues: createSqliteKeyValues(database) },
  });
  const run: CapableRunner["run"] = (step, data = {}, capabilities = steps[step]?.capabilities ?? {}) => {
    const sha256 = components[step]?.sha256;
    if (sha256 === undefined) throw new Error(JSON.stringify(problems));
    return driver.execute({
      program: { runtime: { type: "wasm" }, sha256, capabilities: normalCapabilities(capabilities) },
      input: stepInput({ event: { ...stepInput().event, data } }),
      limits: defaultLimits,
    });
  };
  return {
    run,
    async output(step, data, capabilities) {
      const result = await run(step, data, capabilities);
      if (!result.ok) throw new Error(JSON.stringify(result));
      return result.output;
    },
    async close() {
      await driver.close();
      await database.close();
    },
  };
}
