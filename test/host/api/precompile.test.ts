import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createApi } from "../../../host/api/server.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, type HostConfig } from "../../../host/index.ts";
import type { Driver } from "../../../runtime/driver.ts";
import { component, printing } from "../../runtime/wasm/components.ts";

const document: FunctionDocument = {
  id: "f",
  triggers: [{ event: "a" }],
  steps: { one: { path: "file://./one.wasm" } },
};

async function open(config: Omit<HostConfig, "store">) {
  const host = await createHost({ store: "memory:", ...config });
  const api = await createApi(host, { eventKeys: "any" });
  const { url } = await api.listen({ port: 0, hostname: "127.0.0.1" });
  onTestFinished(async () => {
    await api.close();
    await host.close();
  });
  /** Stores the component, and deploys the function with it. */
  const deploy = async (bytes: Uint8Array) => {
    const sha256 = await host.putArtifact(bytes);
    const body = JSON.stringify({ functions: [functionVersion(document, { one: sha256 }, 0)] });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/v1/deployments`, { method: "POST", headers, body });
    return { status: response.status, body: await response.json() };
  };
  return { host, deploy };
}

test("a component that can't run is refused by the host too, with its step and what it wants", async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), "millrace-precompile-"));
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true }));
  const { host, deploy } = await open({ engine: "v8", cacheDir });
  const wanting = await component('(import "wasi:http/types@0.2.9" (instance))');
  expect(await deploy(wanting)).toMatchObject({
    status: 422,
    body: {
      error: {
        code: "ERR_DEPLOYMENT_INVALID",
        problems: [
          {
            code: "ERR_COMPONENT_IMPORT",
            pointer: "/functions/0/components/one",
            message: expect.stringMatching(/step one of f .*wasi:http\/types@0\.2\.9.*`http`/),
          },
        ],
      },
    },
  });
  expect(host.functions()).toEqual([]);
  expect(await deploy(await printing("1"))).toMatchObject({ status: 200 });
  expect(host.functions()).toHaveLength(1);
});

test("a function becomes active once its components are compiled", async () => {
  const asked = Promise.withResolvers<void>();
  const compiled = Promise.withResolvers<undefined>();
  const wasm: Driver = {
    name: "wasm",
    prepare() {
      asked.resolve();
      return compiled.promise;
    },
    execute: async () => ({ ok: true, output: null, logs: [] }),
    close: async () => undefined,
  };
  const { host, deploy } = await open({ drivers: new Map([["wasm", wasm]]) });
  onTestFinished(() => compiled.resolve(undefined));
  const deployed = deploy(new TextEncoder().encode("a component"));
  await asked.promise;
  expect(host.functions()).toEqual([]);
  compiled.resolve(undefined);
  expect(await deployed).toMatchObject({ status: 200, body: { functions: [{ changed: true }] } });
  expect(host.functions()).toHaveLength(1);
});
