import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import type { ArtifactSource, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { type DockerEngine, EngineError } from "./engine.ts";
import { createTraceReader, foreignSyntax, needsBuildKit } from "./buildkit.ts";
import { artifactLabel } from "./labels.ts";
import type { BuildOptions } from "./options.ts";
import { registryConfig } from "./registry-auth.ts";

/** What an image is built from: an archive, and what the document says of it. */
interface BuildOrder extends BuildOptions {
  /** The archive's. */
  readonly sha256: string;
  /** Whether RUN instructions have a network. */
  readonly network: boolean;
}

/** How long a build may take, in milliseconds. */
const longestMs = 15 * 60_000;

/** Lines and characters of a build's output that its failure tells. */
const toldLines = 20;
const toldCharacters = 3_000;

/**
 * The image of an order: its name on an engine, which only that order gives, and how the engine builds it. `env`: where
 * what `docker login` kept is looked up, which the images need that it begins with.
 */
export function buildImage(
  engine: DockerEngine,
  order: BuildOrder,
  { artifacts, env }: { readonly artifacts: ArtifactSource; readonly env: NodeJS.ProcessEnv },
): { readonly reference: string; run(signal: AbortSignal): Promise<StepFailure | undefined> } {
  const { sha256, network, dockerfile = "Dockerfile", target, args } = order;
  const key = createHash("sha256")
    .update(JSON.stringify([sha256, network, dockerfile, target, args]))
    .digest("hex");
  const reference = `millrace-step:${key}`;
  return {
    reference,
    async run(signal) {
      const body = await artifacts(sha256);
      if (body === undefined) {
        return failure("ERR_ARTIFACT_MISSING", `The build context ${sha256} is not in the store.`);
      }
      const { product } = await engine.connect();
      const logins = await registryConfig(env);
      const query = {
        t: reference,
        dockerfile,
        ...(product === "Podman" ? podmanQuery(order) : { networkmode: network ? "default" : "none" }),
        labels: JSON.stringify({ [artifactLabel]: sha256 }),
        forcerm: "1",
        ...(target === undefined ? {} : { target }),
        ...(args === undefined ? {} : { buildargs: JSON.stringify(args) }),
      };
      const options = {
        query,
        headers: logins === undefined ? {} : { "x-registry-config": logins },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(longestMs)]),
      };
      const failed = await follow(engine, options);
      if (failed === undefined || !needsBuildKit(failed)) return failed;
      const syntax = network ? undefined : await foreignSyntax(body, order);
      if (syntax !== undefined) {
        const message = `The image can't be built: BuildKit would have ${syntax} read the Dockerfile, which could give its instructions a network.`;
        return failure("ERR_IMAGE_BUILD", message);
      }
      return follow(engine, { ...options, query: { ...query, version: "2" } });
    },
  };
}

/**
 * Podman knows Docker's names of networks for containers alone: a build would be in the machine's own. And it takes a layer
 * for known whose ARG has another value.
 */
function podmanQuery({ network, args }: BuildOrder): Readonly<Record<string, string>> {
  const own = [{ Name: "network", Host: false, Path: "" }];
  return {
    nsoptions: JSON.stringify(own),
    networkmode: network ? "NetworkDefault" : "NetworkDisabled",
    ...(args !== undefined && { nocache: "1" }),
  };
}

/** What an engine says while it builds. */
interface BuildLine {
  readonly stream?: string;
  readonly error?: string;
  readonly id?: string;
  /** Base64, of BuildKit's messages. */
  readonly aux?: string;
}

async function follow(
  engine: DockerEngine,
  options: Parameters<DockerEngine["follow"]>[1],
): Promise<StepFailure | undefined> {
  let output = "";
  const readTrace = createTraceReader();
  const failed = (why: string): StepFailure => {
    const lines = output.split("\n").filter((line) => line.trim() !== "");
    const told = lines.slice(-toldLines).join("\n").slice(-toldCharacters);
    const end = told === "" ? "" : ` Its last lines:\n${told}`;
    return failure("ERR_IMAGE_BUILD", `The image can't be built: ${why}.${end}`);
  };
  try {
    for await (const line of engine.follow("/build", options)) {
      const { stream = "", error, id, aux } = line as BuildLine;
      if (error !== undefined) return failed(error);
      const told = id === "moby.buildkit.trace" ? readTrace(aux ?? "") : stream;
      output = (output + stripVTControlCharacters(told)).slice(-16_384);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineError) || error.status === undefined) throw error;
    return failed(error.message);
  }
}
