import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { millrace, startMillrace, type Running } from "./cli-fixture.ts";
import { programFixture } from "./program-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

const steps = { first: { stdout: '{"n":1}', stderr: "first is here\n" }, second: { stdout: '"v1"' } };
const shop = functionFiles({ id: "shop", event: "order/placed", steps });

async function dev(cwd: string, ...more: string[]): Promise<{ running: Running; url: string }> {
  const running = startMillrace(["dev", "--port", "0", ...more], { cwd });
  const [, url = ""] = await running.until(/^ready in .+ at (http:\S+)/m);
  return { running, url };
}

test("`dev` shows each event, attempt and run, and can be asked about them", async () => {
  const cwd = await writeProject(shop);
  const { running, url } = await dev(cwd);
  expect(running.output()).toContain("function   shop on order/placed");
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await millrace([...args, "--url", url, "--json"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as Record<string, never[]>;
  };
  const sent = await ask("send", "order/placed", "--data", '{"id":7}', "--user", "ada");
  expect(sent).toEqual({ ids: [expect.any(String)], status: 200 });
  await running.until(/■ shop·[\da-f]{6} completed after /);
  const log = running.output();
  expect(log).toContain('● order/placed {"id":7} ');
  expect(log).toMatch(/▶ shop·[\da-f]{6} started by order\/placed [\da-f]{32}/);
  expect(log).toMatch(/│ first is here\n.+✓ shop·[\da-f]{6} first \d+ ms \{"n":1\}/);
  expect(log).toMatch(/✓ shop·[\da-f]{6} second \d+ ms "v1"/);

  const { runs = [] } = await ask("runs", "ls");
  expect(runs).toMatchObject([{ functionId: "shop", status: "completed", userId: "ada" }]);
  expect(await ask("functions", "ls")).toMatchObject({
    functions: [{ id: "shop", steps: ["first", "second"] }],
  });
  expect(await ask("events", "ls")).toMatchObject({
    events: [{ event: { name: "order/placed", data: { id: 7 } } }],
  });
  const [{ id }] = runs as unknown as [{ id: string }];
  const newest = await ask("runs", "show");
  expect(newest).toMatchObject({ id, steps: [{ id: "first", output: { n: 1 } }, { id: "second" }] });
  expect(newest["logs"]).toMatchObject([{ step: "first", lines: [{ message: "first is here" }] }]);
  expect(await ask("runs", "show", id.slice(-6))).toEqual(newest);
  expect(await ask("runs", "ls", "--status", "failed")).toEqual({ runs: [] });

  expect(await running.stop()).toBe(0);
});

test("`runs`, `functions` and `events` print tables that people can read", async () => {
  const cwd = await writeProject(shop);
  const { running, url } = await dev(cwd, "--broker", "memory:");
  const ask = async (...args: string[]) => (await millrace([...args, "--url", url], { cwd })).stdout;
  expect(await ask("send", "order/placed")).toMatch(/^sent {2}order\/placed {2}\S+\n$/);
  await running.until(/■ shop/);
  expect(await ask("runs", "ls")).toMatch(
    /^RUN +FUNCTION +STATUS +EVENT +STARTED +TOOK\n[\da-f]{32} {2}shop +completed +order\/placed +\d{4}-/,
  );
  expect(await ask("functions", "ls")).toMatch(
    /^FUNCTION +VERSION +TRIGGERS +STEPS\nshop +\w{12} +order\/placed +first, second\n$/,
  );
  expect(await ask("events", "ls")).toMatch(/^EVENT +NAME +STORED +DATA\n\S{36} +order\/placed .* \{\}\n$/);
  const shown = await ask("runs", "show");
  expect(shown).toMatch(/^status +completed in /m);
  expect(shown).toMatch(/^ {2}✓ first completed\n +│ first is here\n {4}attempt 1 /m);
  const unknown = await millrace(["runs", "show", "f".repeat(32), "--url", url]);
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining("ERR_RUN_UNKNOWN: There is no run"),
  ]);
});

test("a change is taken up, a broken one leaves what was, and a removed function is removed", async () => {
  const cwd = await writeProject({ ...shop, ...functionFiles({ id: "other", steps: { only: {} } }) });
  const { running, url } = await dev(cwd);
  const send = () => millrace(["send", "order/placed", "--url", url], { cwd });

  await writeFile(join(cwd, "shop/second.wasm"), programFixture({ stdout: '"v2"' }));
  await running.until(/↻ updated shop in /);
  await send();
  await running.until(/second \d+ ms "v2"/);

  await writeFile(join(cwd, "shop/function.json"), '{"id":"shop"}');
  await running.until(/^shop\/function\.json:1:1: ERR_FUNCTION_SCHEMA: [\s\S]+stays as it was/m);
  const before = running.output().length;
  await send();
  await running.until(/■ shop·[\da-f]{6} completed[\s\S]+■ shop·[\da-f]{6} completed/);
  expect(running.output().slice(before)).toContain('"v2"');

  await rm(join(cwd, "other"), { recursive: true });
  await running.until(/↻ removed other in /);
  const { stdout } = await millrace(["functions", "ls", "--json", "--url", url]);
  expect(JSON.parse(stdout)).toMatchObject({ functions: [{ id: "shop" }] });

  await writeProject(shop, cwd);
  await writeProject(functionFiles({ id: "fresh", steps: { only: {} } }), cwd);
  await running.until(/↻ updated (?:fresh, shop|shop, fresh|fresh) in /);
  expect(await running.stop()).toBe(0);
});

test("a project that is broken from the start is served as far as it is sound, and mended by an edit", async () => {
  const broken = { "broken/function.json": '{"id":"broken"}' };
  const cwd = await writeProject({ ...shop, ...broken });
  const { running } = await dev(cwd, "--broker", "memory:");
  expect(running.output()).toContain("ERR_FUNCTION_SCHEMA");
  expect(running.output()).toContain("function   shop");
  await writeProject(functionFiles({ id: "broken", steps: { only: {} } }), cwd);
  await running.until(/↻ updated broken/);
});

test("what a step's own command writes does not have it run again, and what it is made of does", async () => {
  const document = {
    id: "made",
    triggers: [{ event: "a/b" }],
    steps: {
      s: { path: "file://./out/s.wasm", build: "echo x >> runs; mkdir -p out && cp s.bin out/s.wasm" },
    },
  };
  const cwd = await writeProject({
    "function.json": JSON.stringify(document),
    "s.bin": programFixture({ stdout: "1" }),
  });
  const { running } = await dev(cwd, "--broker", "memory:");
  await writeFile(join(cwd, "s.bin"), programFixture({ stdout: "2" }));
  await running.until(/↻ updated made/);
  // As long as a build of it would take to be noticed.
  await new Promise((resolve) => void setTimeout(resolve, 500));
  expect(await readFile(join(cwd, "runs"), "utf8")).toBe("x\nx\n");
  expect(await running.stop()).toBe(0);
});

test("a second start finds the store and builds nothing anew", async () => {
  const cwd = await writeProject(shop);
  const first = await dev(cwd);
  await millrace(["send", "order/placed", "--url", first.url], { cwd });
  await first.running.until(/■ shop/);
  expect(await first.running.stop("SIGINT")).toBe(0);
  const second = await dev(cwd);
  const { stdout } = await millrace(["runs", "ls", "--json", "--url", second.url], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ runs: [{ status: "completed" }] });
});

test("with --json every line is an object that says what it is", async () => {
  const cwd = await writeProject(shop);
  const running = startMillrace(["dev", "--port", "0", "--broker", "memory:", "--json"], { cwd });
  const [, url = ""] = await running.until(/"type":"ready","url":"([^"]+)"/);
  await millrace(["send", "order/placed", "--url", url], { cwd });
  await running.until(/run\.completed/);
  await writeFile(join(cwd, "shop/second.wasm"), programFixture({ stdout: '"v2"' }));
  await running.until(/reloaded/);
  expect(await running.stop()).toBe(0);
  const types = running
    .output()
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(new Set(types)).toEqual(
    new Set(["ready", "event.stored", "attempt.started", "history", "reloaded", "stopped"]),
  );
});

test("a port that is taken is named, with the option that chooses another", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const cwd = await writeProject(shop);
  const { code, stdout, stderr } = await millrace(["dev", "--port", String(port)], { cwd });
  expect([code, stdout]).toEqual([4, ""]);
  expect(stderr).toContain(`ERR_PORT_IN_USE: Port ${port} on 127.0.0.1 is in use by another process.`);
  expect(stderr).toContain("--port 0");
});

test("a store that another host has open is refused", async () => {
  const cwd = await writeProject(shop);
  await dev(cwd);
  const { code, stderr } = await millrace(["dev", "--port", "0"], { cwd });
  expect(code).toBe(4);
  expect(stderr).toContain("ERR_STORE_LOCKED: Another host has .millrace/dev.db open.");
  const unknown = await millrace(["dev", "--port", "0", "--broker", "redis://x"], { cwd });
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("ERR_STORE_URL")]);
});

test("beyond this machine `dev` listens only with keys for both gates, and then holds to them", async () => {
  const cwd = await writeProject(shop);
  const open = await millrace(["dev", "--port", "0", "--host", "0.0.0.0", "--key", "k"], { cwd });
  expect([open.code, open.stderr]).toEqual([2, expect.stringContaining("Give --key and --api-key")]);
  const { url } = await dev(cwd, "--host", "0.0.0.0", "--key", "k", "--api-key", "a", "--broker", "memory:");
  const refused = await millrace(["send", "order/placed", "--url", url]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("ERR_KEY_UNKNOWN")]);
  expect(refused.stderr).toContain("--key or MILLRACE_KEY");
  expect(
    (await millrace(["send", "order/placed"], { env: { MILLRACE_URL: url, MILLRACE_KEY: "k" } })).code,
  ).toBe(0);
  const unread = await millrace(["runs", "ls", "--url", url]);
  expect([unread.code, unread.stderr]).toEqual([2, expect.stringContaining("--api-key or MILLRACE_API_KEY")]);
  expect((await millrace(["runs", "ls", "--url", url, "--api-key", "a"])).code).toBe(0);
});

test("an event that the host refuses is told of as the host says it", async () => {
  const schema = { type: "object", required: ["id"] };
  const cwd = await writeProject({ ...shop, "events/order/placed.json": schema });
  const { url } = await dev(cwd, "--broker", "memory:");
  const { code, stderr } = await millrace(["send", "order/placed", "--url", url]);
  expect(code).toBe(2);
  expect(stderr).toContain('/data: ERR_EVENT_SCHEMA: the property "id" is missing');
});

test("the first Ctrl-C lets attempts end, the second one does not wait", async () => {
  const cwd = await writeProject(functionFiles({ id: "endless", steps: { loop: { loops: true } } }));
  const { running, url } = await dev(cwd, "--verbose");
  await millrace(["send", "test/event", "--url", url]);
  await running.until(/attempt 1 started/);
  running.process.kill("SIGINT");
  await running.until(/stopping…/);
  expect(await running.stop("SIGINT")).toBe(130);
});

test("`dev` ends in an orderly way once nobody reads it", async () => {
  const cwd = await writeProject(shop);
  const { running, url } = await dev(cwd);
  running.process.stdout?.destroy();
  await millrace(["send", "order/placed", "--url", url]);
  expect(await running.ended).toBe(0);
});
