import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listen } from "../../runtime/egress/servers.ts";
import { callsGuest } from "../../runtime/wasm/calls-guest.ts";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { writeProject } from "./project-fixture.ts";

const secret = "hunter2-hunter2-hunter2";

/** Sends a request with the secret, counts in the store, and tells what it saw. */
const code = (port: number): string => `
  const headers = http.Fields.fromList([["authorization", bytes("Bearer " + env.API_KEY)]]);
  const request = new http.OutgoingRequest(headers);
  request.setScheme({ tag: "HTTP" });
  request.setAuthority("127.0.0.1:${port}");
  request.setPathWithQuery("/" + config.get("path"));
  const future = outgoing.handle(request, null);
  future.subscribe().block();
  const response = future.get().val.val;
  const body = text(response.consume().stream().blockingRead(1000));
  const count = atomics.increment(store.open("default"), "requests", 1);
  print("info", env.API_KEY + " " + env.PLAIN);
  return { status: response.status(), body, count, hidden: env.API_KEY.startsWith("secret-API_KEY-"), plain: env.PLAIN };`;

async function project(port: number): Promise<string> {
  const host = `http://127.0.0.1:${port}`;
  const pay = {
    path: "file://./pay.wasm",
    capabilities: {
      http: [{ host, methods: ["GET"], private: true }],
      secrets: { API_KEY: { hosts: [host] }, PLAIN: {} },
      config: { path: "charges" },
      kv: true,
    },
  };
  const cwd = await writeProject({
    "function.json": JSON.stringify({
      id: "shop",
      triggers: [{ event: "a" }],
      retry: { retries: 0 },
      steps: { pay },
    }),
    "pay.wasm": await callsGuest(),
    "event.json": { data: { code: code(port) } },
    ".millrace/secrets.json": { API_KEY: secret, PLAIN: "plain-hunter2-plain" },
  });
  await chmod(join(cwd, ".millrace/secrets.json"), 0o600);
  return cwd;
}

const api = () =>
  listen((request, response) => {
    response.end(`for ${request.url}: ${request.headers["authorization"]}`);
  });
const output = (count: number) => ({
  status: 200,
  body: expect.stringMatching(/^for \/charges: Bearer secret-API_KEY-[\da-f]{32}$/),
  count,
  hidden: true,
  plain: "[secret PLAIN]",
});

test.each(["v8", "auto"])(
  "`run` lets a step call out with a secret that it never sees, on %s",
  async (engine) => {
    const { port, received } = await api();
    const cwd = await project(port);
    const { code, stdout, stderr } = await millrace(["run", "shop", "--json", "--engine", engine], { cwd });
    expect([code, stderr]).toEqual([0, expect.stringContaining("[secret PLAIN]")]);
    expect(JSON.parse(stdout)).toMatchObject({ outputs: { pay: output(1) } });
    expect(received.map(({ headers }) => headers)).toEqual([expect.arrayContaining([`Bearer ${secret}`])]);
    expect(stdout + stderr).not.toContain("hunter2");
  },
  120_000,
);

test("`start` does so from run to run, within its policy, and stores nothing of a secret", async () => {
  const { port, received } = await api();
  const cwd = await project(port);
  const policy = {
    capabilities: {
      http: [{ functions: ["shop"], hosts: [{ host: `http://127.0.0.1:${port}`, private: true }] }],
      secrets: { API_KEY: ["shop"], PLAIN: ["*"] },
      config: ["shop"],
      kv: ["shop"],
    },
  };
  await writeProject({ "policy.json": policy, "strict.json": { capabilities: { kv: ["*"] } } }, cwd);
  const start = ["start", "--port", "0", "--broker", "sqlite:host.db", "--secrets", ".millrace/secrets.json"];
  const strict = startMillrace([...start, "--policy", "strict.json"], { cwd });
  const [, closed = ""] = await strict.until(/at (http:\S+)/);
  const refused = await millrace(["push", "--url", closed, "--json"], { cwd });
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: {
      code: "ERR_POLICY_REFUSED",
      problems: ["http", "secrets", "secrets", "config"].map((name) => ({
        pointer: `/capabilities/${name}`,
      })),
    },
  });
  await strict.stop();

  const host = startMillrace([...start, "--policy", "policy.json"], { cwd });
  const [, url = ""] = await host.until(/at (http:\S+)/);
  expect((await millrace(["push", "--url", url, "--json"], { cwd })).code).toBe(0);
  const runs = async (): Promise<readonly { readonly id: string; readonly status: string }[]> =>
    ((await (await fetch(`${url}/v1/runs`)).json()) as { runs: never }).runs;
  for (const count of [1, 2, 3]) {
    const body = JSON.stringify({ name: "a", data: { code: code(port) } });
    await fetch(`${url}/e/x`, { method: "POST", headers: { "content-type": "application/json" }, body });
    // The first one waits until its component is compiled, which takes many seconds on a loaded machine.
    await expect
      .poll(async () => (await runs()).map(({ status }) => status), { timeout: 120_000 })
      .toEqual(Array.from({ length: count }, () => "completed"));
  }
  expect(received.length).toBe(3);
  const list = await runs();
  const newest = await (await fetch(`${url}/v1/runs/${list[0]?.id}`)).text();
  expect(JSON.parse(newest)).toMatchObject({ steps: [{ id: "pay", output: output(3) }] });
  await host.stop();
  const files = (await readdir(cwd)).filter((name) => name.startsWith("host.db"));
  for (const name of files) {
    expect(await readFile(join(cwd, name), "latin1")).not.toContain("hunter2");
  }
  expect([newest, host.output(), JSON.stringify(list)].join("")).not.toContain("hunter2");
}, 240_000);
