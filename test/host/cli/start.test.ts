import { once } from "node:events";
import { createServer } from "node:net";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../../free-port.ts";
import { millrace, startMillrace, temporaryFolder, type Running } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

async function start(cwd: string, ...more: string[]): Promise<{ running: Running; url: string }> {
  const running = startMillrace(["start", "--port", "0", ...more], { cwd });
  const [, url = ""] = await running.until(/(?:at |"url":")(https?:\/\/[\d.:]+)/);
  return { running, url };
}

async function push(cwd: string, url: string, ...more: string[]) {
  const { code, stdout, stderr } = await millrace(["push", "--url", url, "--json", ...more], { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const shop = functionFiles({ id: "shop", event: "order/placed", steps: { only: { stdout: '"done"' } } });
const slow = functionFiles({
  id: "slow",
  event: "order/placed",
  steps: { only: { loops: true } },
  more: {
    steps: { only: { path: "file://./only.wasm", timeout: "2s" } },
  },
});

test("a started host has no functions until they are pushed, and then runs them, also after a restart", async () => {
  const cwd = await writeProject(shop);
  const first = await start(cwd);
  expect(await (await fetch(`${first.url}/v1/functions`)).json()).toEqual({ functions: [] });
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  expect(await push(cwd, first.url)).toMatchObject({ steps: 1, uploaded: 1 });
  expect(await first.running.stop()).toBe(0);

  const { running, url } = await start(cwd, "--json");
  await millrace(["send", "order/placed", "--url", url]);
  await expect
    .poll(async () => (await fetch(`${url}/v1/runs`)).json(), { timeout: 20_000 })
    .toMatchObject({ runs: [{ functionId: "shop", status: "completed" }] });
  expect(await running.stop("SIGINT")).toBe(0);
  const types = running
    .output()
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(["ready", "stopping", "stopped"]);
});

test("told to stop it is at once not ready, takes nothing new, ends what it holds and exits with 0", async () => {
  const cwd = await writeProject(slow);
  const { running, url } = await start(cwd, "--grace", "60s");
  await push(cwd, url);
  await millrace(["send", "order/placed", "--url", url]);
  await expect
    .poll(async () => (await fetch(`${url}/v1/runs`)).json(), { timeout: 20_000 })
    .toMatchObject({ runs: [{ status: "running" }] });
  running.process.kill("SIGTERM");
  await running.until(/stopping/);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { error: { code: "ERR_HOST_CLOSED" } }]);
  const sent = await millrace(["send", "order/placed", "--url", url, "--json"]);
  expect(sent.code).toBe(4);
  expect(JSON.parse(sent.stdout)).toMatchObject({ error: { code: "ERR_HOST_CLOSED" } });
  expect(await running.ended).toBe(0);

  const again = await start(cwd);
  const { runs } = (await (await fetch(`${again.url}/v1/runs`)).json()) as { runs: object[] };
  expect(runs).toMatchObject([{ functionId: "slow", status: "failed" }]);
  expect(await again.running.stop()).toBe(0);
});

test("what does not end within the grace goes on at the next start; a second signal ends it at once", async () => {
  const files = functionFiles({ id: "endless", event: "order/placed", steps: { only: { loops: true } } });
  const cwd = await writeProject(files);
  const first = await start(cwd, "--grace", "100ms");
  await push(cwd, first.url);
  await millrace(["send", "order/placed", "--url", first.url]);
  const runs = async (url: string) => (await fetch(`${url}/v1/runs`)).json();
  await expect
    .poll(() => runs(first.url), { timeout: 20_000 })
    .toMatchObject({ runs: [{ status: "running" }] });
  expect(await first.running.stop()).toBe(0);

  const second = await start(cwd, "--grace", "1h");
  expect(await runs(second.url)).toMatchObject({ runs: [{ functionId: "endless", status: "running" }] });
  second.running.process.kill("SIGTERM");
  await second.running.until(/stopping/);
  expect(await second.running.stop("SIGTERM")).toBe(143);
});

test("beyond this machine it wants keys, and with them serves HTTPS", async () => {
  const cwd = await temporaryFolder();
  const open = await millrace(["start", "--host", "0.0.0.0", "--port", "0"], { cwd });
  expect([open.code, open.stderr]).toEqual([2, expect.stringContaining("ERR_USAGE")]);
  const half = await millrace(["start", "--tls-cert", "x", "--port", "0"], { cwd });
  expect([half.code, half.stderr]).toEqual([2, expect.stringContaining("--tls-key")]);

  const tls = join(import.meta.dirname, "../../fixtures/tls");
  const keys = ["--key", "e1,e2", "--api-key", "a1", "--host", "0.0.0.0"];
  const files = ["--tls-cert", join(tls, "cert.pem"), "--tls-key", join(tls, "key.pem")];
  const { running, url } = await start(cwd, ...keys, ...files);
  expect(url).toMatch(/^https:/);
  const { request } = await import("node:https");
  const ca = await readFile(join(tls, "cert.pem"));
  const status = (path: string, key?: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      request(`${url}${path}`, { ca, checkServerIdentity: () => undefined, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
  expect(await status("/readyz")).toBe(200);
  expect(await status("/v1/host")).toBe(401);
  expect(await status("/v1/host", "a1")).toBe(200);
  expect(await running.stop()).toBe(0);
});

test.each([
  [["--runtimes", "wasm,docker"], "ERR_RUNTIME_UNSERVED", 1],
  [["--broker", "mongodb:x"], "ERR_STORE_URL", 2],
  [["--config", "nowhere.json"], "ERR_INPUT_FILE", 2],
  [["--grace", "soon"], "ERR_USAGE", 2],
])("`start %j` is refused: %s", async (args, code, exitCode) => {
  const cwd = await temporaryFolder();
  const env = { DOCKER_HOST: `unix://${cwd}/none.sock` };
  const finished = await millrace(["start", "--port", "0", "--json", ...args], { cwd, env });
  expect(JSON.parse(finished.stdout)).toMatchObject({ error: { code } });
  expect(finished.code).toBe(exitCode);
});

test("a port, and a server, that can't be had are told with exit code 4", async () => {
  const cwd = await temporaryFolder();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const finished = await millrace(["start", "--port", String(port), "--broker", "memory:"], { cwd });
  taken.close();
  expect([finished.code, finished.stderr]).toEqual([4, expect.stringContaining("ERR_PORT_IN_USE")]);
  const server = `nats://127.0.0.1:${await freePort()}`;
  const alone = await millrace(["start", "--port", "0", "--broker", server], { cwd });
  expect([alone.code, alone.stderr]).toEqual([4, expect.stringContaining("ERR_STORE_UNAVAILABLE")]);
});
