import { afterAll, describe, expect, test } from "vitest";
import { driverContract } from "../driver-contract.ts";
import { openOn } from "./contract-steps.ts";
import type { Dockerd } from "./dockerd.ts";
import { archive } from "./images.ts";
import { podmanForTests } from "./podman.ts";
import { sandboxContract } from "./sandbox-contract.ts";
import { anyLimits, stepRunner } from "./step-runner.ts";

const found = await podmanForTests();
afterAll(() => found?.close());
const podman = found as Dockerd;

/** All that there is of containers and volumes. */
async function leftOver(): Promise<readonly unknown[]> {
  const { engine } = podman;
  const containers = (await engine.call("GET", "/containers/json", { query: { all: "1" } })) as unknown[];
  const { Volumes } = (await engine.call("GET", "/volumes")) as { Volumes: unknown[] };
  return [...containers, ...Volumes];
}

describe.skipIf(found === undefined)("on Podman's engine", () => {
  driverContract("docker", () => openOn(podman), { ran: true });
  // On version 1 of cgroups Podman does not say whom the kernel ended.
  sandboxContract(() => podman, false);

  test.each([
    ["ignores SIGTERM", "trap '' TERM; while :; do busybox sleep 1; done", "ERR_STEP_TIMEOUT"],
    ["floods its output", "busybox yes", "ERR_STEP_OUTPUT_TOO_LARGE"],
    ["fails", "exit 1", "ERR_STEP_FAILED"],
  ])("no container and no volume is left by a step that %s", async (_, script, code) => {
    const steps = stepRunner(podman);
    const program = await steps.program(script, {}, "COPY step /data/note\nVOLUME /data");
    expect(await steps.driver.prepare(program, anyLimits)).toBeUndefined();
    const limits = { wallMs: 2_500, outputBytes: 1_000 };
    expect(await steps.run(program, limits)).toMatchObject({ failure: { code } });
    await steps.driver.close();
    expect(await leftOver()).toEqual([]);
  });

  test("an image is built without a network, unless its document grants one, and by its arguments", async () => {
    const { program, run, artifacts, driver } = stepRunner(podman);
    const look = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ls /sys/class/net > /net"]';
    expect(await run(await program("busybox cat /net", {}, look))).toMatchObject({ output: "lo" });

    const arg = await program("echo $WHO", {}, "ARG WHO=nobody\nENV WHO=$WHO");
    expect(await run(arg)).toMatchObject({ output: "nobody", ran: expect.stringMatching(/^sha256:/) });
    const runtime = { type: "docker", build: { args: { WHO: "me" } } } as const;
    expect(await run({ ...arg, runtime })).toMatchObject({ output: "me" });

    const failing = await program("exit 0", {}, 'RUN ["/bin/busybox", "sh", "-c", "echo one; exit 7"]');
    expect(await run(failing)).toMatchObject({
      failure: { code: "ERR_IMAGE_BUILD", message: expect.stringMatching(/exit status 7[^]*\none/) },
    });
    for (const dockerfile of ['CMD ["/missing"]', 'USER of-no-such-name\nCMD ["/x"]', ""]) {
      const Dockerfile = `FROM scratch\nCOPY Dockerfile /x\n${dockerfile}`;
      const sha256 = artifacts.put(await archive({ Dockerfile }));
      expect(await run({ runtime: { type: "docker" }, sha256 })).toMatchObject({
        failure: { code: "ERR_IMAGE_PROGRAM", retry: false },
      });
    }
    await driver.close();
  });

  test.each([
    ["nowhere/to-be-found:1", "never", "ERR_IMAGE_MISSING"],
    ["127.0.0.1:1/nobody/listens:1", "missing", "ERR_IMAGE_PULL"],
    ["UPPER/case", "missing", "ERR_IMAGE_PULL"],
  ])("the image %s is refused with pull %s by %s", async (image, pull, code) => {
    const { run, driver } = stepRunner(podman);
    expect(await run({ runtime: { type: "docker", image, pull } })).toMatchObject({ failure: { code } });
    await driver.close();
  });
});
