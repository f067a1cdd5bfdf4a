import type { Attempt, AttemptResult, Driver, StepProgram } from "../../../runtime/driver.ts";
import { createDockerDriver } from "../../../runtime/docker/docker.ts";
import { defaultLimits, type Limits } from "../../../runtime/limits.ts";
import type { Dockerd } from "./dockerd.ts";
import { createArtifacts, scriptContext } from "./images.ts";

/** Generous, since many tests may share the machine. */
export const anyLimits: Limits = { ...defaultLimits, wallMs: 50_000 };

/** Runs scripts as docker steps. */
export interface StepRunner {
  readonly driver: Driver;
  readonly artifacts: ReturnType<typeof createArtifacts>;
  /** The program of a script; `more` are instructions of its Dockerfile. */
  program(script: string, parts?: Partial<StepProgram>, more?: string): Promise<StepProgram>;
  run(program: StepProgram, limits?: Partial<Limits>, parts?: Partial<Attempt>): Promise<AttemptResult>;
}

export function stepRunner(
  dockerd: Dockerd,
  env: NodeJS.ProcessEnv = {},
  secrets: ReadonlyMap<string, string> = new Map(),
): StepRunner {
  const artifacts = createArtifacts();
  const driver = createDockerDriver({
    artifacts: artifacts.source,
    parallelism: 4,
    secrets,
    env: { DOCKER_HOST: dockerd.host, ...env },
  });
  return {
    driver,
    artifacts,
    async program(script, parts, more) {
      const sha256 = artifacts.put(await scriptContext(dockerd.busybox, script, more));
      return { runtime: { type: "docker" }, sha256, ...parts };
    },
    run: (program, limits, parts) =>
      driver.execute({
        input: anyInput(),
        ...parts,
        program,
        limits: { ...anyLimits, ...limits },
      }),
  };
}

/** An input like a host's. */
export function anyInput(): Attempt["input"] {
  const ctx = {
    runId: "run-1",
    functionId: "shop",
    functionVersion: "0123456789ab",
    stepId: "greet",
    attempt: 1,
    deadline: 1_700_000_030_000,
    idempotencyKey: "run-1:greet",
  };
  return { event: { id: "e", name: "a/b", data: {}, ts: 1_700_000_000_000 }, steps: {}, ctx };
}
