import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, type Host } from "../../../host/index.ts";
import { printing, program } from "../../runtime/wasm/components.ts";
import { skipped } from "../../runtime/wasm/wasmtime/engine.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A machine's folders, and hosts on them that share a store. */
async function machine(engine: "v8" | "wasmtime", store?: string) {
  const folder = await mkdtemp(join(tmpdir(), "millrace-readiness-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const cacheDir = join(folder, "cache");
  await mkdir(cacheDir);
  const url = store ?? `sqlite:${join(folder, "store.db")}`;
  return {
    store: url,
    host: (): Promise<Host> => createHost({ store: url, engine, cacheDir }),
    /** What is kept of a component in compiled form. */
    compiled: async (sha256: string): Promise<boolean> =>
      (await readdir(cacheDir, { recursive: true })).some((name) => name.includes(sha256)),
  };
}

async function deploy(host: Host, component: Uint8Array): Promise<string> {
  const sha256 = await host.putArtifact(component);
  const document = { id: "f", triggers: [{ event: "a/b" }], steps: { only: { path: "file://./only.wasm" } } };
  await host.deploy([functionVersion(document, { only: sha256 }, 0)]);
  return sha256;
}

const patient = { timeout: 60_000 };

describe.each(["v8", "wasmtime"] as const)("programs on %s", (engine) => {
  const left = engine === "wasmtime" && skipped;

  test.skipIf(left)("are compiled when a function is deployed, before any event", async () => {
    const { host, compiled } = await machine(engine);
    const first = await host();
    const sha256 = await deploy(first, await printing("1"));
    await expect.poll(() => compiled(sha256), patient).toBe(true);
    await first.close();
  });

  test.skipIf(left)("are compiled by a host that opens a store with functions in it", async () => {
    const { host, compiled, store } = await machine(engine);
    const first = await host();
    const sha256 = await deploy(first, await program("(i32.const 0)"));
    await expect.poll(() => compiled(sha256), patient).toBe(true);
    await first.close();
    const other = await machine(engine, store);
    expect(await other.compiled(sha256)).toBe(false);
    const second = await other.host();
    await expect.poll(() => other.compiled(sha256), patient).toBe(true);
    await second.close();
  });
});
