import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Attempt, AttemptResult, StepFailure } from "../driver.ts";
import { type Exit, exitResult } from "../exit.ts";
import { failure } from "../failure.ts";
import { containerConfig } from "./container.ts";
import { type DockerEngine, EngineError } from "./engine.ts";
import type { ReadyImage } from "./image.ts";
import { type ContainerNames, removeContainer } from "./orphans.ts";
import { foreignProgram, startFailure } from "./start-failure.ts";
import type { EngineProduct } from "./version.ts";
import { createWritten, type Written } from "./streams.ts";

/** What a container is made with. */
interface AttemptOptions {
  readonly image: ReadyImage;
  readonly attempt: Attempt;
  /** Aborted: the container is ended. */
  readonly signal: AbortSignal;
  /** The label that says whose container it is. */
  readonly owner: string;
  readonly product: EngineProduct;
}

/** An attempt that has ended. */
interface EndedAttempt {
  readonly result: AttemptResult;
  /** Resolves when its container is gone; rejects with EngineError when it could not be removed. */
  readonly gone: Promise<void>;
  readonly container: ContainerNames;
}

/** What a container that ignores SIGTERM has left to do, in seconds. */
const stopSeconds = 1;

/** How long the result waits for a container to be ended by an engine that is slow, in milliseconds. */
const patienceMs = 10_000;

/** Runs one attempt in a container of its own. Throws nothing for what the step or the engine does. */
export async function runInContainer(engine: DockerEngine, options: AttemptOptions): Promise<EndedAttempt> {
  const { attempt, signal } = options;
  const { wallMs } = attempt.limits;
  const name = `millrace-${randomUUID()}`;
  const container = { name, volumes: options.image.volumes.map((_, index) => `${name}-${index}`) };
  const written = createWritten(attempt);
  const interrupted = Promise.withResolvers<StepFailure>();
  /** Aborted: it is not to be started any more; then, what still waits for it is not to wait longer. */
  const halt = new AbortController();
  const leave = new AbortController();
  const interrupt = (why: StepFailure): void => {
    halt.abort();
    interrupted.resolve(why);
  };
  const cancel = (): void => interrupt(failure("ERR_STEP_CANCELLED", "The attempt was cancelled."));
  const late = (): void =>
    interrupt(failure("ERR_STEP_TIMEOUT", `The attempt took longer than ${wallMs} ms.`));
  const timer = setTimeout(late, wallMs);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();

  const signals = { halt: halt.signal, leave: leave.signal };
  const { created, started, ended } = startContainer(engine, container, written, options, signals);
  const ending = await Promise.race([ended, interrupted.promise.then((why) => ({ interrupted: why }))]);
  clearTimeout(timer);
  signal.removeEventListener("abort", cancel);

  if ("interrupted" in ending) {
    // Whatever it says until it has ended belongs to the log.
    const stopping = started.then((running) => (running ? stop(engine, name) : undefined));
    await within(
      patienceMs,
      stopping.then(() => ended),
    );
  }
  leave.abort();
  const gone = created.then(() => removeContainer(engine, container));
  return { result: resultOf(ending, written), gone, container };
}

type Ending = Exit | StepFailure | { readonly interrupted: StepFailure };

function resultOf(ending: Ending, written: Written): AttemptResult {
  const logs = written.logs();
  if ("status" in ending) return exitResult(ending, logs);
  return { ok: false, failure: "interrupted" in ending ? ending.interrupted : ending, logs };
}

/** A container on its way. */
interface Started {
  /** Resolves once there is a container, or will be none. */
  readonly created: Promise<void>;
  /** Resolves to whether it runs, or ran. */
  readonly started: Promise<boolean>;
  readonly ended: Promise<Exit | StepFailure>;
}

function startContainer(
  engine: DockerEngine,
  { name, volumes }: ContainerNames,
  written: Written,
  { image, attempt, owner, product }: AttemptOptions,
  { halt, leave }: { readonly halt: AbortSignal; readonly leave: AbortSignal },
): Started {
  const text = JSON.stringify(attempt.input);
  const expires = Date.now() + attempt.limits.wallMs;
  const body = containerConfig(image, attempt, text, { owner, expires, volumes, product });
  const creation = engine.call("POST", "/containers/create", { query: { name }, body });
  const start = Promise.withResolvers<boolean>();
  const run = async (): Promise<Exit | StepFailure> => {
    await creation;
    halt.throwIfAborted();
    const output = await attach(engine, name, "output", leave);
    const stdin = await attach(engine, name, "stdin", leave);
    try {
      halt.throwIfAborted();
      const reading = written.read(output);
      // It is waited for below; where the start fails, nobody does.
      reading.catch(ignore);
      await startIt(engine, name);
      start.resolve(true);
      // It ends when all is written, and breaks when the program ends without reading it.
      stdin.end(text);
      return (await reading) ?? (await exitOf(engine, name, written, leave));
    } finally {
      start.resolve(false);
      output.destroy();
      stdin.destroy();
    }
  };
  const ended = run().catch((error: unknown) => {
    start.resolve(false);
    if (error instanceof EngineError) return error.failure;
    // Nobody asks what became of it.
    if (halt.aborted) return failure("ERR_STEP_CANCELLED", "The attempt was cancelled.");
    throw error;
  });
  return { created: creation.then(ignore, ignore), started: start.promise, ended };
}

/** Podman gets a container ready for its program when something is attached, and Docker when it is started. */
function attach(
  ...[engine, ...rest]: [DockerEngine, ...Parameters<DockerEngine["attach"]>]
): Promise<Duplex> {
  return engine.attach(...rest).catch(rethrow);
}

async function startIt(engine: DockerEngine, name: string): Promise<void> {
  await engine.call("POST", `/containers/${name}/start`).catch(rethrow);
}

function rethrow(error: unknown): never {
  throw error instanceof EngineError ? startFailure(error) : error;
}

/** How it ended. Its streams have by now, but it may have closed them by itself and go on. */
async function exitOf(
  engine: DockerEngine,
  container: string,
  written: Written,
  signal: AbortSignal,
): Promise<Exit | StepFailure> {
  const path = `/containers/${container}`;
  const waited = await engine.call("POST", `${path}/wait`, { signal, timeoutMs: 2 ** 31 - 1 });
  const { StatusCode: status } = waited as { StatusCode: number };
  if (status === 0) return { status, stdout: written.output() };
  const foreign = foreignProgram(written.logs());
  if (foreign !== undefined) return foreign;
  const { State } = (await engine.call("GET", `${path}/json`)) as { State: { OOMKilled?: boolean } };
  if (State.OOMKilled !== true) return { status, stdout: "" };
  const message = `The step exited with code ${status}: the kernel ended it, or a process of it, for want of memory.`;
  return failure("ERR_STEP_MEMORY", message);
}

/** Asks it to end, and ends it. */
async function stop(engine: DockerEngine, name: string): Promise<void> {
  const query = { t: String(stopSeconds) };
  await engine.call("POST", `/containers/${name}/stop`, { query }).catch(ignore);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.then(ignore, ignore), late]);
  clearTimeout(timer);
}

function ignore(): void {}
