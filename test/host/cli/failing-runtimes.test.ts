import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../free-port.ts";
import { millrace } from "./cli-fixture.ts";
import { writeProject } from "./project-fixture.ts";

/** A server without TLS that says, as Lambda's API does, that the host's role may not. */
async function refusing(): Promise<number> {
  const server = createServer((_, response) => {
    const message =
      "User: arn:aws:iam::123456789012:user/host is not authorized to perform: lambda:InvokeFunction";
    const type = { "content-type": "application/json", "x-amzn-errortype": "AccessDeniedException" };
    response.writeHead(403, type).end(JSON.stringify({ Message: message }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_REGION: "eu-central-1" };

test.each([
  [
    "no engine runs",
    () => ({ type: "docker", image: "busybox" }),
    "ERR_DOCKER_UNREACHABLE",
    /^Start the engine/,
  ],
  [
    "nobody answers at its URL",
    async () => ({ type: "http", url: `http://127.0.0.1:${await freePort()}/`, private: true }),
    "ERR_HTTP_UNREACHABLE",
    /^Check the URL/,
  ],
  [
    "its receiver speaks no TLS",
    async () => ({ type: "http", url: `https://127.0.0.1:${await refusing()}/`, private: true }),
    "ERR_HTTP_TLS",
    /^Renew the receiver's certificate/,
  ],
  [
    "the host's role is refused",
    async () => ({ type: "lambda", function: "f", endpoint: `http://127.0.0.1:${await refusing()}` }),
    "ERR_LAMBDA_ACCESS",
    /lambda:InvokeFunction/,
  ],
])("a step for which %s fails with what to do about it", async (_, runtimeOf, code, next) => {
  const steps = { only: { runtime: await runtimeOf() } };
  const cwd = await writeProject({
    "function.json": { id: "f", triggers: [{ event: "a" }], retry: { retries: 0 }, steps },
  });
  const ran = await millrace(["run", "f"], {
    cwd,
    env: { ...env, DOCKER_HOST: "unix:///nowhere/docker.sock" },
  });
  expect([ran.code, JSON.parse(ran.stdout)]).toMatchObject([
    1,
    { failure: { step: "only", code, next: expect.stringMatching(next) } },
  ]);
  expect(ran.stderr).toMatch(new RegExp(`failed after .*${code}.*\n +next: `));
});
