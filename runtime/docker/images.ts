import { failure } from "../failure.ts";
import type { ArtifactSource, StepFailure, StepProgram } from "../driver.ts";
import { buildImage } from "./build-image.ts";
import { type DockerEngine, EngineError } from "./engine.ts";
import { dockerOptions } from "./options.ts";
import { imageOf, type ReadyImage } from "./image.ts";
import { pullImage } from "./pull-image.ts";

/** The images that steps run. */
export interface Images {
  /** Has the engine pull or build what it does not have. Throws EngineError, also when `signal` is aborted. */
  ready(program: StepProgram, signal: AbortSignal): Promise<ReadyImage | StepFailure>;
}

/** An image, how it is named on the engine, and how the engine gets it. */
interface Wanted {
  readonly reference: string;
  /** Not even if the engine has one of that name. */
  readonly renew: boolean;
  /** Made on the engine: no registry knows it, whatever digest the engine keeps for one. */
  readonly isBuilt: boolean;
  get(signal: AbortSignal): Promise<StepFailure | undefined>;
}

/** `signal`: aborted when the driver closes. `env`: where what `docker login` kept is looked up. */
export function createImages(
  engine: DockerEngine,
  artifacts: ArtifactSource,
  { signal, env }: { readonly signal: AbortSignal; readonly env: NodeJS.ProcessEnv },
): Images {
  /** What is being pulled or built just now: attempts of the same image wait together. */
  const underWay = new Map<string, Promise<StepFailure | undefined>>();
  const renewed = new Set<string>();

  const wanted = (program: StepProgram): Wanted | StepFailure => {
    const { image, pull = "missing", build } = dockerOptions(program);
    const { sha256, capabilities = {} } = program;
    if (image !== undefined) {
      const get = (signal: AbortSignal) => pullImage(engine, image, { signal, env });
      return {
        reference: image,
        renew: pull === "always",
        isBuilt: false,
        get: pull === "never" ? missing(image) : get,
      };
    }
    if (sha256 === undefined) {
      return failure("ERR_ARTIFACT_MISSING", "The function version names neither a folder nor an image.");
    }
    const order = { sha256, network: capabilities.network !== undefined, ...build };
    const { reference, run } = buildImage(engine, order, { artifacts, env });
    return { reference, renew: false, isBuilt: true, get: run };
  };

  const get = ({ reference, renew, get }: Wanted): Promise<StepFailure | undefined> => {
    const going = underWay.get(reference);
    if (going !== undefined) return going;
    // Not the attempt's own signal: others may wait for the same.
    const started = get(signal).finally(() => underWay.delete(reference));
    underWay.set(reference, started);
    if (renew) {
      // What failed is tried again with the next attempt.
      const noted = (failed: StepFailure | undefined): void => void (failed ?? renewed.add(reference));
      started.then(noted, () => undefined);
    }
    return started;
  };

  return {
    async ready(program, aborted) {
      const want = wanted(program);
      if ("code" in want) return want;
      const { reference, renew, isBuilt } = want;
      const inspected = async (): Promise<ReadyImage | undefined> => {
        const image = await inspect(engine, reference, aborted);
        return image && isBuilt ? { ...image, digest: image.id } : image;
      };
      const must = renew && !renewed.has(reference);
      const there = must ? undefined : await inspected();
      if (there !== undefined) return there;
      const failed = await Promise.race([get(want), rejection(aborted)]);
      if (failed !== undefined) return failed;
      const got = await inspected();
      return got ?? failure("ERR_IMAGE_MISSING", `The engine lost the image ${reference} again.`);
    },
  };
}

/** The engine's image of that name, if it has one. */
async function inspect(
  engine: DockerEngine,
  reference: string,
  signal: AbortSignal,
): Promise<ReadyImage | undefined> {
  const segments = reference.split("/").map(encodeURIComponent);
  // No name of an image, and not the path that it would be.
  if (segments.some((segment) => /^\.{0,2}$/.test(segment))) return undefined;
  try {
    return imageOf(reference, await engine.call("GET", `/images/${segments.join("/")}/json`, { signal }));
  } catch (error) {
    if (error instanceof EngineError && isUnknown(error)) return undefined;
    throw error;
  }
}

/** There is none of that name, or it can be none's, which who pulls it will hear; Podman says that with 500. */
function isUnknown({ status, message }: EngineError): boolean {
  return status === 404 || status === 400 || /invalid reference format/.test(message);
}

function missing(image: string): Wanted["get"] {
  const message = `The engine does not have the image ${image}, and the step says that it is never pulled.`;
  return () => Promise.resolve(failure("ERR_IMAGE_MISSING", message));
}

async function rejection(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", resolve, { once: true });
  });
  throw new EngineError(failure("ERR_STEP_CANCELLED", "The attempt was cancelled before it began."));
}
