import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEngine } from "../../../runtime/docker/address.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "millrace-docker-config-"));
});
afterAll(() => rm(home, { recursive: true }));

/** What is found in an environment with these variables, and these files below the home folder. */
async function found(env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(home, "case-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const result = await findEngine({ HOME: folder, ...env });
  return result.ok ? result.address : result.failure;
}

const digest = (name: string): string => createHash("sha256").update(name).digest("hex");
const context = (name: string, endpoint: object): Readonly<Record<string, string>> => ({
  [`.docker/contexts/meta/${digest(name)}/meta.json`]: JSON.stringify({
    Name: name,
    Endpoints: { docker: endpoint },
  }),
});

describe("the engine's address", () => {
  test.each([
    ["unix:///run/x.sock", { origin: "http://docker", socketPath: "/run/x.sock" }],
    ["tcp://build-1", { origin: "http://build-1:2375" }],
    ["tcp://127.0.0.1:80/", { origin: "http://127.0.0.1:2375" }],
    ["tcp://[::1]:4000", { origin: "http://[::1]:4000" }],
    ["https://build-1:2376", { origin: "https://build-1:2376", tls: { verify: true } }],
  ])("is that of DOCKER_HOST: %s", async (DOCKER_HOST, address) => {
    expect(await found({ DOCKER_HOST })).toMatchObject({
      name: DOCKER_HOST,
      from: "DOCKER_HOST",
      ...address,
    });
  });

  test.each([
    "ssh://me@build-1",
    "npipe:////./pipe/docker",
    "build-1:2375",
    "unix://relative",
    "tcp://",
    "tcp://a b",
  ])("is none with DOCKER_HOST %s", async (DOCKER_HOST) => {
    expect(await found({ DOCKER_HOST })).toMatchObject({
      code: "ERR_DOCKER_ADDRESS",
      message: expect.stringContaining(`DOCKER_HOST says ${JSON.stringify(DOCKER_HOST)}`),
    });
  });

  test("has certificates with DOCKER_TLS_VERIFY, of DOCKER_CERT_PATH or the home folder", async () => {
    const variables = { DOCKER_HOST: "tcp://build-1", DOCKER_TLS_VERIFY: "1" };
    const files = { ".docker/ca.pem": "CA", ".docker/cert.pem": "CERT", ".docker/key.pem": "KEY" };
    const tls = { verify: true, ca: "CA", cert: "CERT", key: "KEY" };
    expect(await found(variables, files)).toMatchObject({ origin: "https://build-1:2376", tls });
    expect(await found({ ...variables, DOCKER_CERT_PATH: "/nowhere" }, files)).toMatchObject({
      code: "ERR_DOCKER_ADDRESS",
      message: expect.stringContaining("/nowhere/ca.pem can't be read"),
    });
  });

  test("is that of the current context, or of the one that DOCKER_CONTEXT names", async () => {
    const files = {
      ".docker/config.json": JSON.stringify({ currentContext: "one" }),
      ...context("one", { Host: "tcp://one:1" }),
      ...context("two", { Host: "unix:///two.sock" }),
    };
    expect(await found({}, files)).toMatchObject({ origin: "http://one:1", from: "the Docker context one" });
    expect(await found({ DOCKER_CONTEXT: "two" }, files)).toMatchObject({ socketPath: "/two.sock" });
    expect(await found({ DOCKER_CONTEXT: "two", DOCKER_HOST: "tcp://three" }, files)).toMatchObject({
      from: "DOCKER_HOST",
    });
    expect(await found({ DOCKER_CONTEXT: "none" }, files)).toMatchObject({
      code: "ERR_DOCKER_ADDRESS",
      message: expect.stringContaining('the Docker context "none" is not there'),
    });
  });

  test("has the certificates of its context", async () => {
    const tls = `.docker/contexts/tls/${digest("one")}/docker`;
    const files = { [`${tls}/ca.pem`]: "CA", [`${tls}/cert.pem`]: "CERT", [`${tls}/key.pem`]: "KEY" };
    const variables = { DOCKER_CONTEXT: "one" };
    expect(await found(variables, { ...files, ...context("one", { Host: "tcp://one:2376" }) })).toMatchObject(
      {
        origin: "https://one:2376",
        tls: { verify: true, ca: "CA", cert: "CERT", key: "KEY" },
      },
    );
    const careless = context("one", { Host: "tcp://one:2376", SkipTLSVerify: true });
    expect(await found(variables, careless)).toMatchObject({ tls: { verify: false } });
  });

  test("is found at the usual places, Podman's among them", async () => {
    const runtime = await mkdtemp(join(home, "run-"));
    const path = join(runtime, "podman", "podman.sock");
    await mkdir(dirname(path));
    const server = createServer().listen(path);
    await once(server, "listening");
    const address = await found({ XDG_RUNTIME_DIR: runtime });
    server.close();
    // A machine that has Docker, or Podman for all of its users, has these before.
    const own = "name" in address ? address.name : "";
    expect([`unix://${path}`, "unix:///var/run/docker.sock"]).toContain(own);
    expect(address).toMatchObject({ from: "its usual place" });
  });

  test("may be nowhere", async () => {
    const address = await found({ XDG_RUNTIME_DIR: home }, { ".docker/config.json": "not JSON" });
    if ("name" in address) return;
    expect(address).toMatchObject({
      code: "ERR_DOCKER_UNREACHABLE",
      retry: true,
      message: expect.stringMatching(/none of \/var\/run\/docker\.sock, .*podman\.sock is there/),
    });
  });
});
