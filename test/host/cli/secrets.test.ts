import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { readSecrets } from "../../../host/cli/settings/secrets-file.ts";
import { millrace, startMillrace, temporaryFolder } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

const file = async (content: string, mode = 0o600): Promise<string> => {
  const name = join(await temporaryFolder(), "secrets.json");
  await writeFile(name, content);
  await chmod(name, mode);
  return name;
};

describe("the values of secrets", () => {
  test("come from a file, and before it from the environment", async () => {
    const name = await file('{ // of an operator\n "A": "file-file", "B_2": "file-file", }');
    const env = { MILLRACE_SECRET_A: "variable", MILLRACE_SECRET_C: "variable", MILLRACE_SECRET_D: "" };
    const { secrets, warnings } = await readSecrets(name, env);
    expect(Object.fromEntries(secrets)).toEqual({ A: "variable", B_2: "file-file", C: "variable" });
    expect(warnings).toEqual([]);
    expect((await readSecrets(undefined, {})).secrets.size).toBe(0);
  });

  test("are refused without a word of them: what is no JSON, no text, too short", async () => {
    const wrong = async (content: string, env = {}): Promise<string> => {
      const error: unknown = await readSecrets(await file(content), env).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: "ERR_CONFIG_INVALID" });
      return inspect(error, { depth: 9 });
    };
    for (const content of [
      '{ "A": hunter2hunter2 }',
      '{ "A": "hunter2hunter2',
      "hunter2hunter2",
      '{ "A": "hunter2" }',
    ]) {
      expect(await wrong(content)).not.toContain("hunter2");
    }
    expect(await wrong('{\n"A-1": "long enough",\n"B": 1 }')).toMatch(/line: 2[^]*line: 3/);
    expect(await wrong("{}", { MILLRACE_SECRET_A: "hunter2" })).not.toContain("hunter2");
  });

  test("that every user of the machine can read are warned of", async () => {
    const name = await file("{}", 0o644);
    expect((await readSecrets(name, {})).warnings).toEqual([
      `${name} can be read by every user of this machine: chmod 600 ${name}`,
    ]);
  });
});

test("a host tells of a secret that has no value, fails the attempts, and shows none in its settings", async () => {
  const { "shop/only.wasm": component = "" } = functionFiles({ id: "shop", steps: { only: {} } });
  const only = { path: "file://./only.wasm", capabilities: { secrets: ["A", "B"] } };
  const cwd = await writeProject({
    "shop/function.json": { id: "shop", triggers: [{ event: "a" }], retry: { retries: 0 }, steps: { only } },
    "shop/only.wasm": component,
    "secrets.json": { A: "hunter2hunter2" },
  });
  await chmod(join(cwd, "secrets.json"), 0o644);
  const args = ["start", "--port", "0", "--broker", "memory:", "--secrets", "secrets.json"];
  const shown = await millrace([...args, "--print-config"], {
    cwd,
    env: { MILLRACE_SECRET_C: "hunter3hunter3" },
  });
  expect(shown.stdout).toContain("secrets.json");
  expect(shown.stdout + shown.stderr).not.toContain("hunter");

  const host = startMillrace(args, { cwd });
  const [, url = ""] = await host.until(/at (http:\S+)/);
  await host.until(/warning secrets\.json can be read by every user/);
  expect((await millrace(["push", "--url", url, "--json"], { cwd })).code).toBe(0);
  await host.until(
    /ERR_STEP_SECRET_MISSING shop Step only can't run: This host has no value for the secret B\./,
  );
  const body = JSON.stringify({ name: "a", data: {} });
  await fetch(`${url}/e/x`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const runs = async (): Promise<unknown> => (await fetch(`${url}/v1/runs`)).json();
  await expect.poll(runs).toMatchObject({ runs: [{ status: "failed" }] });
  expect(host.output()).not.toContain("hunter");
});

/** Each of these commands builds or compiles something, which takes a loaded machine a while. */
const buildMs = 240_000;
const keyed = async (): Promise<string> => {
  const only = { path: "file://./only.js", capabilities: { secrets: ["KEY"] } };
  return writeProject({
    "function.json": { id: "shop", triggers: [{ event: "a" }], retry: { retries: 0 }, steps: { only } },
    "only.js": "export default () => [process.env.KEY.length, process.env.KEY];",
  });
};
const giveKey = async (cwd: string): Promise<void> => {
  await mkdir(join(cwd, ".millrace"), { recursive: true });
  await writeFile(join(cwd, ".millrace/secrets.json"), '{ "KEY": "hunter2hunter2" }', { mode: 0o600 });
};

test(
  "`run` takes the secrets of the project, or those of the file that it is given",
  async () => {
    const cwd = await keyed();
    const run = async (...more: string[]) => {
      const { code, stdout } = await millrace(["run", "shop", "--json", ...more], { cwd });
      return [code, JSON.parse(stdout)] as const;
    };
    expect(await run()).toMatchObject([1, { failure: { code: "ERR_STEP_SECRET_MISSING" } }]);
    await giveKey(cwd);
    const outputs = { only: [14, "[secret KEY]"] };
    expect(await run()).toMatchObject([0, { outputs }]);
    await writeFile(join(cwd, "other.json"), '{ "KEY": "another-secret" }', { mode: 0o600 });
    expect(await run("--secrets", "other.json")).toMatchObject([0, { outputs }]);
  },
  buildMs,
);

test(
  "`doctor` says which secrets of the project have no value here",
  async () => {
    const cwd = await keyed();
    const doctor = async (): Promise<unknown> => {
      const { stdout } = await millrace(["doctor", "--json"], { cwd });
      const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
      return checks.find(({ name }) => name === "project");
    };
    expect(await doctor()).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("no value here for KEY"),
    });
    await giveKey(cwd);
    expect(await doctor()).toMatchObject({ status: "ok" });
  },
  buildMs,
);
