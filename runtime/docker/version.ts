import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { EngineAddress } from "./address.ts";

/** Whose engine it is: Podman speaks Docker's API, and does not mean the same by all of it. */
export type EngineProduct = "Docker" | "Podman";

/** What an engine says of itself. */
export interface EngineVersion {
  readonly product: EngineProduct;
  /** "Docker 20.10.24", "Podman 5.2.1". */
  readonly engine: string;
  /** The version of the API that both sides speak: "1.41". */
  readonly api: string;
}

/** What `GET /version` answers. */
export interface VersionAnswer {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly Os?: string;
  readonly Components?: readonly { readonly Name?: string }[];
}

/** What is used of the API has been the same from the first to the last of these. */
const oldest = "1.40";
const newest = "1.52";

/** The newest version of the API that both speak, or DOCKER_API_VERSION; why there is none, else. */
export function checkedVersion(
  { Version = "", ApiVersion = "", MinAPIVersion = "1.12", Os = "linux", Components = [] }: VersionAnswer,
  { name }: EngineAddress,
  env: NodeJS.ProcessEnv,
): EngineVersion | StepFailure {
  const product = Components[0]?.Name?.startsWith("Podman") === true ? "Podman" : "Docker";
  const engine = `${product} ${Version}`;
  const refuse = (why: string): StepFailure =>
    failure("ERR_DOCKER_VERSION", `${engine} at ${name} can't be used: ${why}.`);
  if (!/^\d+\.\d+$/.test(ApiVersion)) return refuse("it names no version of its API");
  if (Os !== "linux") return refuse(`it runs containers of ${Os}, and steps are Linux programs`);
  if (isBefore(ApiVersion, oldest)) {
    return refuse(`it speaks version ${ApiVersion} of the Docker Engine API, and ${oldest} is needed`);
  }
  if (isBefore(newest, MinAPIVersion)) {
    return refuse(`it speaks version ${MinAPIVersion} or newer of the Docker Engine API, and not ${newest}`);
  }
  const api = env["DOCKER_API_VERSION"] || (isBefore(newest, ApiVersion) ? newest : ApiVersion);
  return { product, engine, api };
}

function isBefore(left: string, right: string): boolean {
  const [major = 0, minor = 0] = left.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = right.split(".").map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
