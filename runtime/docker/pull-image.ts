import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { type DockerEngine, EngineError } from "./engine.ts";
import { registryAuth } from "./registry-auth.ts";

/** How long a pull may take, in milliseconds. */
const longestMs = 15 * 60_000;

/** Has the engine pull an image; why it can't, else. Throws EngineError where the engine is not to be had. */
export async function pullImage(
  engine: DockerEngine,
  image: string,
  { signal, env }: { readonly signal: AbortSignal; readonly env: NodeJS.ProcessEnv },
): Promise<StepFailure | undefined> {
  const failed = (why: string): StepFailure =>
    failure("ERR_IMAGE_PULL", `The image ${image} can't be pulled: ${why}.`);
  const { name, tag } = splitReference(image);
  const auth = await registryAuth(name, env);
  try {
    const progress = engine.follow("/images/create", {
      query: { fromImage: name, ...(tag === undefined ? {} : { tag }) },
      headers: auth === undefined ? {} : { "x-registry-auth": auth },
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestMs)]),
    });
    for await (const line of progress) {
      const { error } = line as { error?: string };
      if (error !== undefined) return failed(error);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineError) || error.status === undefined) throw error;
    return failed(error.message);
  }
}

/** A name without a tag would mean all tags. */
function splitReference(image: string): { readonly name: string; readonly tag?: string } {
  if (image.includes("@")) return { name: image };
  const [, name = image, tag = "latest"] = /^(.*?)(?::([^/:]+))?$/.exec(image) ?? [];
  return { name, tag };
}
