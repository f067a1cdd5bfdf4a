import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHost } from "../../host/index.ts";
import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import { failure } from "../../runtime/failure.ts";
import { findNatsServer } from "./nats/find-server.ts";
import { startNatsServer } from "./nats/server.ts";

const natsServer = findNatsServer();

/** Drivers of which docker can run nothing, and the names of those that were closed. */
function drivers() {
  const closed: string[] = [];
  const driver = (name: RuntimeName, check?: Driver["check"]): Driver => ({
    name,
    ...(check && { check }),
    prepare: async () => undefined,
    execute: async () => ({ ok: true, output: null, logs: [] }),
    close: async () => void closed.push(name),
  });
  const absent = async () => failure("ERR_DOCKER_UNREACHABLE", "There is no engine.");
  const all = [driver("wasm"), driver("docker", absent)];
  return { closed, all: new Map(all.map((one) => [one.name, one])) };
}

describe("a host serves", () => {
  test("all runtimes on a store of its own, since nobody else could", async () => {
    const { all } = drivers();
    const host = await createHost({ store: "memory:", drivers: all });
    expect(host.setup?.runtimes).toEqual(["wasm", "docker"]);
    await host.close();
  });

  test.skipIf(natsServer === undefined)(
    "what it can run, on a store with others that can run the rest",
    async () => {
      const server = await startNatsServer(natsServer ?? "");
      try {
        const { all, closed } = drivers();
        const host = await createHost({ store: server.url, drivers: all });
        expect([host.setup?.runtimes, closed]).toEqual([["wasm"], ["docker"]]);
        await host.close();
      } finally {
        await server.stop();
      }
    },
  );

  test("those that it was told to, and closes the other drivers", async () => {
    const { all, closed } = drivers();
    const host = await createHost({ store: "memory:", drivers: all, runtimes: ["wasm"] });
    expect([host.setup?.runtimes, closed]).toEqual([["wasm"], ["docker"]]);
    await host.close();
  });

  test("nothing where a runtime that it was told to serve can run nothing", async () => {
    const { all, closed } = drivers();
    await expect(createHost({ store: "memory:", drivers: all, runtimes: ["docker"] })).rejects.toMatchObject({
      code: "ERR_RUNTIME_UNSERVED",
      message: "Steps of runtime docker can't be run here: There is no engine.",
    });
    expect(closed).toEqual(["wasm", "docker"]);
  });

  test("nothing where its engine is not there, and gives its store back", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-runtimes-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const config = { store: `sqlite:${join(folder, "host.db")}`, cacheDir: folder };
    await expect(createHost({ ...config, engine: "v8", fuel: 1 })).rejects.toMatchObject({
      code: "ERR_ENGINE_UNAVAILABLE",
    });
    const host = await createHost({ ...config, engine: "v8" });
    await host.close();
  });
});
