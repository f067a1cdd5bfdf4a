import { availableParallelism } from "node:os";
import type { ArtifactSource, Attempt, AttemptResult, Driver, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { givenSecrets, type Secrets } from "../secrets.ts";
import { createTurns } from "../turns.ts";
import { runInContainer } from "./attempt.ts";
import { commandOf } from "./container.ts";
import { createEngine, EngineError } from "./engine.ts";
import type { ReadyImage } from "./image.ts";
import { createImages } from "./images.ts";
import { type ContainerNames, removeContainer, removeOrphans } from "./orphans.ts";
import { ownName } from "./owner.ts";

/** What the driver is created with. */
export interface DockerDriverOptions {
  readonly artifacts: ArtifactSource;
  /** Attempts at once; the number of cores by default. */
  readonly parallelism?: number;
  /** The operator's, which steps have as variables where they are granted some; none by default. */
  readonly secrets?: Secrets;
  /** Where DOCKER_HOST and the like are looked up. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Executes steps that are programs in images, each attempt in a fresh container of a Docker or Podman engine. */
export function createDockerDriver(options: DockerDriverOptions): Driver {
  const { artifacts, parallelism = availableParallelism(), secrets = new Map(), env = process.env } = options;
  const engine = createEngine(env);
  const closing = new AbortController();
  const images = createImages(engine, artifacts, { signal: closing.signal, env });
  const turns = createTurns(parallelism);
  const owner = ownName();
  const running = new Set<Promise<unknown>>();
  /** Containers that could not be removed when their attempt had ended. */
  const left = new Set<ContainerNames>();
  let swept = false;

  /** Keeps `close` waiting for it. */
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    const settled = work.then(ignore, ignore).finally(() => running.delete(settled));
    running.add(settled);
    return work;
  };

  /** What earlier hosts left is looked for until that has been done once. */
  const sweep = async (): Promise<void> => {
    if (!swept) {
      swept = true;
      await removeOrphans(engine, Date.now()).catch(() => (swept = false));
    }
    for (const container of left) {
      await removeContainer(engine, container).then(() => left.delete(container), ignore);
    }
  };

  const run = async (attempt: Attempt, signal: AbortSignal): Promise<AttemptResult> => {
    const image = await ready(images.ready(attempt.program, signal), attempt);
    if ("code" in image) return { ok: false, failure: image, logs: [] };
    const granted = withSecrets(attempt, secrets);
    if ("code" in granted) return { ok: false, failure: granted, logs: [] };
    const { product } = await engine.connect();
    const release = await turns.take(signal);
    if (release === undefined) return cancelled();
    const { result, gone, container } = await runInContainer(engine, {
      image,
      product,
      attempt: granted,
      signal,
      owner,
    });
    void tracked(gone.catch(() => left.add(container)).finally(release));
    return { ...result, ran: image.digest };
  };

  void tracked(sweep());
  return {
    name: "docker",
    async check() {
      return reason(engine.connect().then(() => undefined));
    },
    async prepare(program) {
      const signal = closing.signal;
      if (signal.aborted) return failure("ERR_STEP_CANCELLED", "The driver is closed.");
      const image = await reason(ready(images.ready(program, signal), { program }));
      if (signal.aborted) return failure("ERR_STEP_CANCELLED", "The driver is closed.");
      return image !== undefined && "code" in image ? image : undefined;
    },
    async execute(attempt) {
      const own = attempt.signal;
      const signal = own === undefined ? closing.signal : AbortSignal.any([closing.signal, own]);
      if (signal.aborted) return cancelled();
      if (!swept || left.size > 0) void tracked(sweep());
      try {
        return await tracked(run(attempt, signal));
      } catch (error) {
        if (signal.aborted) return cancelled();
        if (error instanceof EngineError) return { ok: false, failure: error.failure, logs: [] };
        throw error;
      }
    },
    async close() {
      closing.abort();
      while (running.size > 0) await Promise.all(running);
      if (left.size > 0) await sweep();
      await engine.close();
    },
  };
}

/** The image, if it has a program to run. */
async function ready(
  image: Promise<ReadyImage | StepFailure>,
  attempt: Pick<Attempt, "program">,
): Promise<ReadyImage | StepFailure> {
  const found = await image;
  if ("code" in found) return found;
  const { entrypoint, command } = commandOf(found, attempt);
  if (entrypoint.length + command.length > 0) return found;
  const message = `The image ${found.digest} has neither an ENTRYPOINT nor a CMD, and the step names no \`command\`.`;
  return failure("ERR_IMAGE_PROGRAM", message);
}

/** The attempt, with the secrets that its program was granted among its variables. */
function withSecrets(attempt: Attempt, values: Secrets): Attempt | StepFailure {
  const { program, input } = attempt;
  const { capabilities } = program;
  if (capabilities?.secrets === undefined) return attempt;
  const given = givenSecrets(capabilities, values, input.ctx);
  if ("code" in given) return given;
  const env = { ...capabilities.env, ...given.env };
  return { ...attempt, program: { ...program, capabilities: { ...capabilities, env } } };
}

/** What came of it, or why nothing did. */
async function reason<T>(work: Promise<T>): Promise<T | StepFailure> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof EngineError) return error.failure;
    throw error;
  }
}

function cancelled(): AttemptResult {
  const why = failure("ERR_STEP_CANCELLED", "The attempt was cancelled before it began.");
  return { ok: false, failure: why, logs: [] };
}

function ignore(): void {}
