import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createApi } from "../../../host/api/server.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId } from "../../../host/index.ts";
import { redacted } from "../../../host/secrets/redacted.ts";
import type { Attempt, AttemptResult, Driver, RuntimeName } from "../../../runtime/driver.ts";
import { program } from "../../runtime/wasm/components.ts";
import { stepInput, testLimits } from "../../runtime/wasm/harness.ts";
import { temporaryFolder } from "../cli/cli-fixture.ts";

const secret = "hunter2-hunter2+hunter2";
const secrets = new Map([
  ["KEY", secret],
  ["OTHER", "something-else"],
]);

describe("a driver of any runtime", () => {
  const attempt = (runtime: RuntimeName, names: readonly string[]): Attempt => ({
    program: {
      runtime: { type: runtime },
      capabilities: { secrets: Object.fromEntries(names.map((name) => [name, {}])) },
    },
    input: stepInput(),
    limits: testLimits,
  });
  const driverOf = (name: RuntimeName, execute: () => Promise<AttemptResult>): Driver => ({
    name,
    prepare: async () => undefined,
    execute,
    close: async () => undefined,
  });
  const run = (name: RuntimeName, names: readonly string[], execute: () => Promise<AttemptResult>) =>
    redacted(new Map([[name, driverOf(name, execute)]]), secrets)
      .get(name)
      ?.execute(attempt(name, names));

  test.each(["wasm", "docker", "lambda", "http"] as const)("hands back no secret: %s", async (name) => {
    const logs = [{ level: "info", message: `log ${secret}` }] as const;
    expect(await run(name, ["KEY"], async () => ({ ok: true, output: [secret], logs }))).toEqual({
      ok: true,
      output: ["[secret KEY]"],
      logs: [{ level: "info", message: "log [secret KEY]" }],
    });
    const failure = { code: "ERR_STEP_FAILED", message: `failed with ${secret}`, retry: true } as const;
    expect(await run(name, ["KEY"], async () => ({ ok: false, failure, logs }))).toMatchObject({
      failure: { message: "failed with [secret KEY]" },
    });
    await expect(run(name, ["KEY"], () => Promise.reject(new Error(`broke at ${secret}`)))).rejects.toThrow(
      /^broke at \[secret KEY\]$/,
    );
  });

  test("lets nobody hear of it while it runs", async () => {
    const heard: string[] = [];
    const driver: Driver = {
      ...driverOf("docker", async () => ({ ok: true, output: null, logs: [] })),
      async execute({ onLog }) {
        onLog?.({ level: "info", message: `log ${secret}` });
        return { ok: true, output: null, logs: [] };
      },
    };
    const onLog = ({ message }: { readonly message: string }) => void heard.push(message);
    const wrapped = redacted(new Map([["docker", driver]]), secrets).get("docker");
    await wrapped?.execute({ ...attempt("docker", ["KEY"]), onLog });
    expect(heard).toEqual(["log [secret KEY]"]);
  });

  test("leaves a step alone that was granted others, or none", async () => {
    for (const names of [[], ["OTHER"], ["UNKNOWN"]]) {
      const result = { ok: true, output: secret, logs: [] } as const;
      expect(await run("wasm", names, async () => result)).toEqual(result);
    }
  });
});

/** Prints its one variable, logs it, and exits with a code. */
const telling = (status: number): Promise<Uint8Array> =>
  program(
    `(call $get-environment (i32.const 32))
     (local.set $a (i32.load (i32.const 32)))
     (call $print (i32.load offset=8 (local.get $a)) (i32.load offset=12 (local.get $a)))
     (call $log (i32.load offset=8 (local.get $a)) (i32.load offset=12 (local.get $a)))
     ${status === 0 ? "" : `(call $exit-with-code (i32.const ${status}))`}
     (i32.const 0)`,
  );

test("a secret that a step prints, logs and fails with is nowhere: store, API, live messages", async () => {
  const folder = await temporaryFolder();
  const host = await createHost({
    store: `sqlite:${join(folder, "host.db")}`,
    cacheDir: join(folder, "cache"),
    engine: "v8",
    secrets,
  });
  const live: string[] = [];
  host.live.subscribe((message) => live.push(JSON.stringify(message)));
  const api = await createApi(host, { eventKeys: "any" });
  const { url } = await api.listen({ port: 0, hostname: "127.0.0.1" });
  const answers: string[] = [];
  try {
    for (const status of [0, 65]) {
      const sha256 = await host.putArtifact(await telling(status));
      const one = { path: "file://./one.wasm", capabilities: { secrets: ["KEY"] } };
      const document = { id: `f${status}`, triggers: [{ event: "a" }], steps: { one } };
      await host.deploy([functionVersion(document, { one: sha256 }, 0)]);
    }
    const [published] = await host.publish([{ name: "a" }]);
    for (const status of [0, 65]) {
      const run = await host.finished(runId(`f${status}`, published?.id ?? ""));
      expect(JSON.stringify(run.history)).toContain("[secret KEY]");
      for (const path of [`/v1/runs/${run.id}`, "/v1/runs", "/v1/functions"]) {
        answers.push(await (await fetch(url + path)).text());
      }
    }
  } finally {
    await api.close();
    await host.close();
  }
  const files = (await readdir(folder)).filter((name) => name.startsWith("host.db"));
  const stored = await Promise.all(files.map((name) => readFile(join(folder, name), "latin1")));
  expect(stored.join("")).toContain("[secret KEY]");
  expect(live.join("")).toContain("[secret KEY]");
  for (const text of [...stored, ...answers, ...live]) expect(text).not.toContain("hunter2");
});
