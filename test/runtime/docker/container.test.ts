import { describe, expect, test } from "vitest";
import type { Capabilities } from "../../../runtime/capabilities.ts";
import { containerConfig } from "../../../runtime/docker/container.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import { anyInput } from "./step-runner.ts";

const image = {
  id: "sha256:1",
  digest: "sha256:1",
  entrypoint: ["/step"],
  command: [],
  user: "",
  volumes: [],
};

/** How a container is asked for, with these grants and options. */
function hostConfig(capabilities: Capabilities, options: object = {}): Record<string, unknown> {
  const attempt = {
    program: { runtime: { type: "docker", ...options }, capabilities },
    input: anyInput(),
    limits: defaultLimits,
  } as const;
  const owned = { owner: "o", expires: 0, volumes: [], product: "Docker" } as const;
  return (containerConfig(image, attempt, "{}", owned) as { HostConfig: Record<string, unknown> }).HostConfig;
}

describe("a container is asked for", () => {
  // The engine of the tests has no network to give.
  test.each([
    [{}, "none"],
    [{ network: "build" }, "none"],
    [{ network: "run" }, "default"],
  ] as const)("with %j on the network %s", (capabilities, network) => {
    expect(hostConfig(capabilities)["NetworkMode"]).toBe(network);
  });

  test("with as many processors as its document says, and else one", () => {
    expect(hostConfig({})["NanoCpus"]).toBe(1e9);
    expect(hostConfig({}, { cpus: 0.25 })["NanoCpus"]).toBe(0.25e9);
  });
});
