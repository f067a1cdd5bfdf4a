import { createDockerDriver } from "../../../runtime/docker/docker.ts";
import type { StepProgram } from "../../../runtime/driver.ts";
import type { DriverFixture, stepPrograms } from "../driver-contract.ts";
import type { Dockerd } from "./dockerd.ts";
import { createArtifacts, scriptContext } from "./images.ts";

/** The contract's steps as shell scripts. */
const scripts: Readonly<Record<keyof typeof stepPrograms, string>> = {
  echo: "exec busybox cat",
  nothing: "exit 0",
  text: "busybox printf 'two\\nlines: 世界\\n'",
  nested:
    "busybox yes [ | busybox head -n 1001 | busybox tr -d '\\n'\nbusybox yes ] | busybox head -n 1001 | busybox tr -d '\\n'",
  failing: 'echo "it is broken" >&2; exit 1',
  fatal: 'echo "it can\'t be mended" >&2; exit 65',
  sleeping: "exec busybox sleep 3600",
  flooding: "exec busybox yes flood",
  logging: "busybox printf 'first\\nsecond: 世界\\n' >&2; echo true",
};

/** A driver on an engine of the tests, and these scripts as its steps. */
export async function openOn({ host, busybox }: Pick<Dockerd, "host" | "busybox">): Promise<DriverFixture> {
  const artifacts = createArtifacts();
  const programs: Record<string, StepProgram> = {};
  for (const [name, script] of Object.entries(scripts)) {
    const sha256 = artifacts.put(await scriptContext(busybox, script));
    programs[name] = { runtime: { type: "docker" }, sha256 };
  }
  return {
    driver: createDockerDriver({
      artifacts: artifacts.source,
      parallelism: 4,
      env: { DOCKER_HOST: host },
    }),
    programs: programs as DriverFixture["programs"],
    dispose: () => Promise.resolve(),
  };
}
