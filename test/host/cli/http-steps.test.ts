import { expect, onTestFinished, test } from "vitest";
import { startReceiver } from "../../runtime/http/receiver.ts";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { writeProject } from "./project-fixture.ts";

test("secrets in the headers of a step reach its receiver alone", async () => {
  const token = "s3cret-token-of-the-crm";
  const receiver = await startReceiver(({ headers, path }, response) => {
    // It says aloud what it got.
    response.writeHead(path === "/refuses" ? 403 : 200).end(`got ${String(headers["authorization"])}`);
  });
  onTestFinished(() => receiver.close());
  const at = (path: string) => ({
    type: "http",
    url: `http://127.0.0.1:${receiver.port}${path}`,
    private: true,
    headers: { authorization: { secret: "CRM_TOKEN", prefix: "Bearer " } },
  });
  const steps = {
    echo: { runtime: at("/echoes") },
    refused: { runtime: at("/refuses"), after: [{ step: "echo" }] },
  };
  const document = { id: "crm", triggers: [{ event: "a/b" }], steps };
  const cwd = await writeProject({ "function.json": JSON.stringify(document) });
  const env = { MILLRACE_SECRET_CRM_TOKEN: token };
  const { code, stdout, stderr } = await millrace(["run", "crm", "--json"], { cwd, env });
  expect(receiver.received.map(({ headers }) => headers["authorization"])).toEqual([
    `Bearer ${token}`,
    `Bearer ${token}`,
  ]);
  expect(code).toBe(1);
  expect(stdout + stderr).not.toContain(token);
  expect(JSON.parse(stdout)).toMatchObject({
    outputs: { echo: "got Bearer [secret CRM_TOKEN]" },
    failure: { step: "refused", message: expect.stringContaining("got Bearer [secret CRM_TOKEN]") },
  });
});

test("`dev` gives receivers its own address, at which they complete what they accepted", async () => {
  const receiver = await startReceiver(({ headers }, response) => {
    response.writeHead(202).end();
    const body = JSON.stringify({ signed: headers["webhook-signature"] !== undefined });
    void fetch(String(headers["millrace-callback"]), { method: "POST", body });
  });
  onTestFinished(() => receiver.close());
  const runtime = { type: "http", url: `http://127.0.0.1:${receiver.port}/x`, private: true, secret: "KEY" };
  const document = { id: "notify", triggers: [{ event: "order/placed" }], steps: { ask: { runtime } } };
  const cwd = await writeProject({ "function.json": JSON.stringify(document) });
  const running = startMillrace(["dev", "--port", "0", "--broker", "memory:"], {
    cwd,
    env: { MILLRACE_SECRET_KEY: "correct horse" },
  });
  const [, url = ""] = await running.until(/^ready in .+ at (http:\S+)/m);
  await millrace(["send", "order/placed", "--url", url], { cwd });
  await running.until(/■ notify·[\da-f]{6} completed after /);
  expect(running.output()).toMatch(/✓ notify·[\da-f]{6} ask .*\{"signed":true\}/);
  expect(await running.stop()).toBe(0);
});
