import { describe, expect, test } from "vitest";
import { command } from "../../runtime/wasm/components.ts";
import { skipped } from "../../runtime/wasm/wasmtime/engine.ts";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { writeProject } from "./project-fixture.ts";

/** Wasmtime is not there under this environment. */
const without = { MILLRACE_WASMTIME_BINDING: "/nowhere/wasmtime.node" };

/** Goes round a loop so often. */
const turning = (turns: number): Promise<Uint8Array> =>
  command(`(local $left i32) (local.set $left (i32.const ${turns}))
    (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`);

const project = async (turns = 1): Promise<string> =>
  writeProject({
    "function.json": {
      id: "f",
      triggers: [{ event: "a" }],
      retry: { retries: 0 },
      steps: { only: { path: "file://./only.wasm" } },
    },
    "only.wasm": await turning(turns),
  });

describe("an engine that is not there", () => {
  test.each([
    ["run", ["run", "f", "--engine", "wasmtime"]],
    ["dev", ["dev", "--port", "0", "--engine", "wasmtime"]],
    ["start", ["start", "--port", "0", "--broker", "memory:", "--engine", "wasmtime"]],
  ])("is refused by `%s` with the reason", async (_, args) => {
    const cwd = await project();
    const { code, stdout, stderr } = await millrace([...args, "--json"], { cwd, env: without });
    expect([code, stderr]).toEqual([4, expect.not.stringContaining("ERR_UNEXPECTED")]);
    const last = stdout.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({
      error: {
        code: "ERR_ENGINE_UNAVAILABLE",
        message: expect.stringMatching(/wasmtime can't be used: \/nowhere\/wasmtime.node can't be loaded/),
        next: expect.stringContaining("`auto`"),
      },
    });
  });

  test("is told by `doctor`, and what runs steps in its place", async () => {
    const { stdout } = await millrace(["doctor", "--json"], { cwd: await project(), env: without });
    const { checks } = JSON.parse(stdout) as { checks: readonly { name: string; detail: string }[] };
    expect(checks.find(({ name }) => name === "engine")?.detail).toMatch(
      /^v8, .*wasmtime is not there: \/nowhere\/wasmtime.node can't be loaded/,
    );
  });

  test("is told by `start` too, which goes on with the other, and by its API", async () => {
    const cwd = await project();
    const args = ["start", "--port", "0", "--broker", "memory:", "--json"];
    const [line] = await startMillrace(args, { cwd, env: without }).until(/^\{"type":"ready".*$/m);
    const ready = JSON.parse(line) as { url: string; engine: object };
    const why = expect.stringMatching(/^wasmtime is not there: \/nowhere\/wasmtime.node can't be loaded/);
    expect(ready.engine).toEqual({ name: "v8", why });
    expect(await (await fetch(`${ready.url}/v1/host`)).json()).toMatchObject({ engine: ready.engine });
    const host = startMillrace(args.slice(0, -1), { cwd, env: without });
    await host.until(/Wasm steps on v8/);
  });

  test("can't count fuel", async () => {
    const cwd = await project();
    const { code, stderr } = await millrace(["run", "f", "--engine", "v8", "--fuel", "1000"], { cwd });
    expect([code, stderr]).toEqual([4, expect.stringContaining("Fuel is counted on wasmtime alone")]);
  });
});

describe.skipIf(skipped)("fuel", () => {
  test("is counted where it is asked for, and shown in the run", async () => {
    const cwd = await project(1000);
    const host = startMillrace(["start", "--port", "0", "--broker", "memory:", "--fuel", "100000"], { cwd });
    const [, url = ""] = await host.until(/at (http:\S+)/);
    expect((await millrace(["push", "--url", url], { cwd })).code).toBe(0);
    const body = JSON.stringify({ name: "a", data: {} });
    await fetch(`${url}/e/x`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const runs = async () =>
      ((await (await fetch(`${url}/v1/runs`)).json()) as { runs: { id: string; status: string }[] }).runs;
    await expect.poll(runs, { timeout: 30_000 }).toMatchObject([{ status: "completed" }]);
    const [{ id } = { id: "" }] = await runs();
    const detail = (await (await fetch(`${url}/v1/runs/${id}`)).json()) as {
      steps: { attempts: { fuel: number }[] }[];
    };
    const fuel = detail.steps[0]?.attempts[0]?.fuel ?? 0;
    expect(fuel).toBeGreaterThan(1000);
    expect(fuel).toBeLessThan(100_000);
    expect(await (await fetch(`${url}/v1/runs/${id}/history`)).text()).toContain(`"fuel":${fuel}`);
    const { stdout } = await millrace(["runs", "show", id, "--url", url], { cwd });
    expect(stdout).toContain(`fuel ${fuel}`);
  });

  test("that is used up fails the attempt with a code of its own", async () => {
    const cwd = await project(1_000_000_000);
    const { code, stdout } = await millrace(["run", "f", "--fuel", "5000", "--json"], { cwd });
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { failure: { code: "ERR_STEP_FUEL", message: expect.stringContaining("over the limit of 5000") } },
    ]);
  });

  test.each(["0", "-1", "much", "1.5"])("is a whole number, not %s", async (fuel) => {
    const { code, stderr } = await millrace(["run", "f", `--fuel=${fuel}`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("whole number from 1 on")]);
  });
});
