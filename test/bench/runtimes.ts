import type { Attempt, Driver, StepProgram } from "../../runtime/driver.ts";
import { createDockerDriver } from "../../runtime/docker/docker.ts";
import { createHttpDriver } from "../../runtime/http/http.ts";
import { createLambdaDriver } from "../../runtime/lambda/lambda.ts";
import { defaultLimits } from "../../runtime/limits.ts";
import { chooseEngine, createEngine } from "../../runtime/wasm/choice.ts";
import { type Dockerd, dockerdForTests } from "../runtime/docker/dockerd.ts";
import { createArtifacts, scriptContext } from "../runtime/docker/images.ts";
import { startReceiver } from "../runtime/http/receiver.ts";
import { installLambdaEmulator, lambdaEmulatorVariable } from "../runtime/lambda/find-emulator.ts";
import { program as component } from "../runtime/wasm/components.ts";
import { createHarness, stepInput } from "../runtime/wasm/harness.ts";
import { type Figure, median } from "./figure.ts";

const bench = "runtimes";

/** A step that does nothing, on one runtime. */
interface Contender {
  readonly name: string;
  readonly driver: Driver;
  readonly program: StepProgram;
  /** Attempts that are timed. */
  readonly attempts: number;
  /** Attempts at once, for the rate. */
  readonly lanes: number;
  /** The same without Millrace, and what that is. */
  readonly byHand?: readonly [what: string, once: () => Promise<void>];
  close(): Promise<void>;
}

/** A step that does nothing on each runtime, beside wasm; and what takes part of it without Millrace. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  let wasm: number | undefined;
  for (const open of [openWasm, openHttp, openLambda, openDocker]) {
    const contender = await open();
    if (contender === undefined) continue;
    try {
      const { p50, rate, ratio } = await measure(contender);
      wasm ??= p50;
      const { name, byHand, lanes } = contender;
      const beside = name.startsWith("wasm") ? {} : { against: "wasm", ratio: p50 / wasm };
      figures.push({ bench, figure: `${name}, p50`, value: p50, unit: "ms", better: "lower", ...beside });
      if (byHand !== undefined && ratio !== undefined) {
        const [against] = byHand;
        figures.push({
          bench,
          figure: `${name}, p50`,
          value: p50,
          unit: "ms",
          better: "lower",
          against,
          ratio,
        });
      }
      const figure = `${name}, ${lanes} at once`;
      figures.push({ bench, figure, value: rate, unit: "attempts/s", better: "higher" });
    } finally {
      await contender.driver.close();
      await contender.close();
    }
  }
  return figures;
}

async function measure({ driver, program, attempts, lanes, byHand }: Contender) {
  const attempt: Attempt = { program, input: stepInput(), limits: defaultLimits };
  const once = async (): Promise<void> => {
    const result = await driver.execute(attempt);
    if (!result.ok) throw new Error(result.failure.message);
  };
  const refused = await driver.prepare(program, defaultLimits);
  if (refused !== undefined) throw new Error(refused.message);
  for (let count = 0; count < attempts / 10; count += 1) await once();
  const [ours, theirs]: [number[], number[]] = [[], []];
  // They take turns, so that what else the machine does is with both.
  for (let count = 0; count < attempts; count += 1) {
    ours.push(await timed(once));
    if (byHand !== undefined) theirs.push(await timed(byHand[1]));
  }
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    for (let count = 0; count < attempts / lanes; count += 1) await once();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const rate = (1000 * Math.ceil(attempts / lanes) * lanes) / (performance.now() - begun);
  const p50 = median(ours);
  return { p50, rate, ratio: byHand === undefined ? undefined : p50 / median(theirs) };
}

async function timed(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function openWasm(): Promise<Contender> {
  const chosen = chooseEngine("auto");
  const harness = createHarness((options) => createEngine(chosen, options));
  const program = harness.put(await component("(i32.const 0)"));
  const name = `wasm (${chosen.name})`;
  return { name, driver: harness.driver, program, attempts: 2_000, lanes: 4, close: () => harness.close() };
}

async function openHttp(): Promise<Contender> {
  const receiver = await startReceiver((_, response) => response.writeHead(204).end());
  const body = JSON.stringify(stepInput());
  const fetched = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${receiver.port}/`, { method: "POST", body });
    await response.arrayBuffer();
  };
  return {
    name: "http",
    driver: createHttpDriver(),
    program: receiver.program("/"),
    attempts: 1_000,
    lanes: 16,
    byHand: ["fetch of the same", fetched],
    close: () => receiver.close(),
  };
}

async function openLambda(): Promise<Contender | undefined> {
  try {
    process.env[lambdaEmulatorVariable] = installLambdaEmulator();
  } catch (error) {
    return missing("lambda", error);
  }
  // It looks for the emulator when it is loaded.
  const { startEmulator } = await import("../runtime/lambda/emulator.ts");
  const keys = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x", AWS_REGION: "us-east-1" };
  Object.assign(process.env, keys);
  const handler = new URL("../fixtures/lambda/nothing.mjs", import.meta.url).pathname;
  const emulator = await startEmulator({ handler });
  return {
    name: "lambda (AWS's emulator)",
    driver: createLambdaDriver(),
    program: { runtime: { type: "lambda", function: "function", endpoint: emulator.endpoint } },
    attempts: 300,
    // The emulator has one instance.
    lanes: 1,
    close: () => emulator.close(),
  };
}

async function openDocker(): Promise<Contender | undefined> {
  const dockerd = await dockerdForTests();
  if (dockerd === undefined) return undefined;
  const artifacts = createArtifacts();
  const sha256 = artifacts.put(await scriptContext(dockerd.busybox, "exit 0"));
  const env = { DOCKER_HOST: dockerd.host };
  const driver = createDockerDriver({ artifacts: artifacts.source, parallelism: 4, env });
  const program: StepProgram = { runtime: { type: "docker" }, sha256 };
  const attempt: Attempt = { program, input: stepInput(), limits: defaultLimits };
  const { ran: image = "" } = await driver.execute(attempt);
  return {
    name: "docker",
    driver,
    program,
    attempts: 30,
    lanes: 4,
    byHand: ["create, start, wait and remove by hand", () => container(dockerd, image)],
    close: () => dockerd.close(),
  };
}

/** A container of the image and its end, with nothing of what a step has: no streams, no limits. */
async function container({ engine }: Dockerd, image: string): Promise<void> {
  const body = { Image: image, HostConfig: { NetworkMode: "none" } };
  const { Id } = (await engine.call("POST", "/containers/create", { body })) as { Id: string };
  await engine.call("POST", `/containers/${Id}/start`);
  await engine.call("POST", `/containers/${Id}/wait`);
  await engine.call("DELETE", `/containers/${Id}`);
}

function missing(runtime: string, error: unknown): undefined {
  console.error(`not measured: ${runtime}: ${(error as Error).message}`);
}
