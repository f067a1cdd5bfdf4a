import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createDockerDriver } from "../../../runtime/docker/docker.ts";
import { freePort } from "../../free-port.ts";
import { dockerdForTests } from "./dockerd.ts";
import { stepRunner } from "./step-runner.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-docker-tls-"));
const inFolder = (name: string): string => join(folder, name);

/** An authority, an engine's certificate and a client's, and a client's of nobody. */
function makeCertificates(): void {
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  openssl("req", "-x509", ...key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=tests");
  for (const [name, extension] of [
    ["server", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth"],
    ["client", "extendedKeyUsage=clientAuth"],
  ] as const) {
    writeFileSync(inFolder(`${name}.ext`), extension);
    openssl(
      "req",
      ...key.slice(0, -2),
      "-keyout",
      `${name}-key.pem`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    const signed = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signed,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  }
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "stranger-key.pem",
    "-out",
    "stranger.pem",
    "-subj",
    "/CN=stranger",
  );
}

/** A folder as DOCKER_CERT_PATH names it, of these files. */
function certificates(ca: string, own: string): string {
  const path = mkdtempSync(inFolder("certs-"));
  for (const [name, from] of [
    ["ca.pem", ca],
    ["cert.pem", `${own}.pem`],
    ["key.pem", `${own}-key.pem`],
  ] as const) {
    writeFileSync(join(path, name), readFileSync(inFolder(from)));
  }
  return path;
}

const port = await freePort();
makeCertificates();
const dockerd = await dockerdForTests([
  `--host=tcp://127.0.0.1:${port}`,
  "--tlsverify",
  `--tlscacert=${inFolder("ca.pem")}`,
  `--tlscert=${inFolder("server.pem")}`,
  `--tlskey=${inFolder("server-key.pem")}`,
]);
afterAll(async () => {
  await dockerd?.close();
  rmSync(folder, { recursive: true });
});

/** Why a driver with this environment can run nothing. */
async function check(env: NodeJS.ProcessEnv) {
  const driver = createDockerDriver({ artifacts: () => Promise.resolve(undefined), env });
  try {
    return await driver.check?.();
  } finally {
    await driver.close();
  }
}

describe.skipIf(dockerd === undefined)("an engine with TLS", () => {
  const engine = { DOCKER_HOST: `tcp://127.0.0.1:${port}` };

  test("runs steps of a host that it knows, whole inputs and outputs", async () => {
    const env = { ...engine, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates("ca.pem", "client") };
    expect(await check(env)).toBeUndefined();
    const { driver, program, run } = stepRunner(dockerd!, env);
    const input = {
      event: { id: "e", name: "a", data: "x".repeat(500_000), ts: 0 },
      steps: {},
      ctx: {} as never,
    };
    expect(await run(await program("exec busybox cat"), {}, { input })).toMatchObject({
      ok: true,
      output: input,
    });
    await driver.close();
  });

  test.each([
    ["is not called without TLS", {}],
    ["is not trusted when another authority signed it", { ca: "stranger.pem", own: "client" }],
    ["does not trust a host that another one signed", { ca: "ca.pem", own: "stranger" }],
  ])("%s", async (_, { ca, own }: { ca?: string; own?: string }) => {
    const tls =
      ca === undefined ? {} : { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates(ca, own ?? "") };
    expect(await check({ ...engine, ...tls })).toMatchObject({ code: "ERR_DOCKER_TLS", retry: false });
  });
});

describe("what is no engine that could be used", () => {
  /** Answers every request with this. */
  async function answering(status: number, body: object | string): Promise<{ host: string; close(): void }> {
    const server = createServer((_, response) => {
      response.writeHead(status, { connection: "close" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return { host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
  }

  test.each([
    ["too old", 200, { ApiVersion: "1.38", MinAPIVersion: "1.12" }, "ERR_DOCKER_VERSION", "1.40 is needed"],
    ["too new", 200, { ApiVersion: "2.3", MinAPIVersion: "2.0" }, "ERR_DOCKER_VERSION", "2.0 or newer"],
    ["for Windows", 200, { ApiVersion: "1.45", Os: "windows" }, "ERR_DOCKER_VERSION", "steps are Linux"],
    ["something else", 200, { hello: "world" }, "ERR_DOCKER_VERSION", "names no version"],
    ["a web page", 200, "<html>", "ERR_DOCKER_FAILED", "not JSON: <html>"],
    ["a proxy", 502, "Bad Gateway", "ERR_DOCKER_FAILED", "refused with 502: Bad Gateway"],
  ])("is told: %s", async (_, status, body, code, message) => {
    const { host, close } = await answering(status, body);
    expect(await check({ DOCKER_HOST: host })).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    close();
  });

  test("is told: nobody there", async () => {
    const host = `tcp://127.0.0.1:${await freePort()}`;
    expect(await check({ DOCKER_HOST: host })).toMatchObject({
      code: "ERR_DOCKER_UNREACHABLE",
      message: expect.stringContaining(
        `The engine at ${host} (from DOCKER_HOST) does not answer: connect ECONNREFUSED`,
      ),
    });
    expect(await check({ DOCKER_HOST: `unix://${folder}/none.sock` })).toMatchObject({
      code: "ERR_DOCKER_UNREACHABLE",
      message: expect.stringContaining("its socket is not there"),
    });
  });
});
