import { expect, test } from "vitest";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

test("a host with a policy refuses a push that asks for more, with the policy's place, and deploys nothing", async () => {
  const { "shop/only.wasm": component = "" } = functionFiles({ id: "shop", steps: { only: {} } });
  const only = { path: "file://./only.wasm", capabilities: { env: { LANG: "de" } }, timeout: "2m" };
  const cwd = await writeProject({
    "shop/function.json": { id: "shop", triggers: [{ event: "a" }], steps: { only } },
    "shop/only.wasm": component,
    "policy.json":
      '{ "capabilities": { "env": ["billing-*"] }, /* of an operator */ "limits": { "timeout": "1m" } }',
  });
  const args = ["start", "--port", "0", "--broker", "memory:", "--policy", "policy.json"];
  const [, url = ""] = await startMillrace(args, { cwd }).until(/at (http:\S+)/);
  const { code, stdout } = await millrace(["push", "--url", url, "--json"], { cwd });
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: "ERR_POLICY_REFUSED",
      problems: [
        { code: "ERR_POLICY_CAPABILITY", file: "policy.json", pointer: "/capabilities/env" },
        { code: "ERR_POLICY_LIMIT", file: "policy.json", pointer: "/limits/timeout" },
      ],
    },
  });
  expect(await (await fetch(`${url}/v1/functions`)).json()).toEqual({ functions: [] });
});

test("`run --seed` gives the same outputs each time, with the event's id and time", async () => {
  const cwd = await writeProject({
    "function.json": {
      id: "dice",
      triggers: [{ event: "a" }],
      steps: { roll: { path: "file://./roll.js" } },
    },
    "roll.js": "export default (input) => ({ input, random: Math.random(), now: Date.now() });",
  });
  const roll = async (...more: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await millrace(["run", "dice", ...more], { cwd });
    expect([code, stderr.includes("ERR_")]).toEqual([0, false]);
    return (JSON.parse(stdout) as { outputs: unknown }).outputs;
  };
  const first = await roll("--seed", "1");
  expect(first).toMatchObject({ roll: { now: Date.UTC(2000, 0, 1) } });
  expect(await roll("--seed", "1")).toEqual(first);
  expect(await roll("--seed", "2")).not.toEqual(first);
  expect(await roll()).not.toEqual(await roll());
});
