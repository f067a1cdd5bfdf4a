import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registryAuth, registryConfig } from "../../../runtime/docker/registry-auth.ts";

const path = process.env["PATH"];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-registry-auth-"));
  const helper = join(folder, "docker-credential-tests");
  // What it knows depends on the registry that it reads.
  await writeFile(
    helper,
    `#!/bin/sh
read -r registry
case "$registry" in
  helped.example) echo '{"Username":"me","Secret":"from-helper"}' ;;
  token.example) echo '{"Username":"<token>","Secret":"t0ken"}' ;;
  *) echo "credentials not found"; exit 1 ;;
esac
`,
  );
  await chmod(helper, 0o755);
  process.env["PATH"] = `${folder}:${path}`;
});
afterAll(async () => {
  process.env["PATH"] = path;
  await rm(folder, { recursive: true });
});

const stored = (text: string) => ({ auth: Buffer.from(text).toString("base64") });

/** What an engine is told for an image, by what `docker login` wrote. */
async function told(image: string, config: object): Promise<unknown> {
  const home = await mkdtemp(join(folder, "config-"));
  await writeFile(join(home, "config.json"), JSON.stringify(config));
  const header = await registryAuth(image, { DOCKER_CONFIG: home });
  return header === undefined ? undefined : JSON.parse(Buffer.from(header, "base64url").toString());
}

test.each([
  [
    "a.example/x",
    { auths: { "a.example": stored("me:p:w") } },
    { username: "me", password: "p:w", serveraddress: "a.example" },
  ],
  ["localhost/x", { auths: { localhost: stored("me:pw") } }, { username: "me", password: "pw" }],
  [
    "alpine:3",
    { auths: { "https://index.docker.io/v1/": stored("me:pw") } },
    { username: "me", password: "pw" },
  ],
  [
    "team/x",
    { auths: { "https://index.docker.io/v1/": stored("me:pw") } },
    { username: "me", password: "pw" },
  ],
  ["a.example/x", { auths: { "a.example": { identitytoken: "id" } } }, { identitytoken: "id" }],
  [
    "helped.example/x",
    { credHelpers: { "helped.example": "tests" } },
    { username: "me", password: "from-helper" },
  ],
  ["token.example/x", { credsStore: "tests" }, { identitytoken: "t0ken" }],
  ["a.example/x", { credsStore: "tests", auths: { "a.example": stored("me:pw") } }, { username: "me" }],
  ["a.example/x", { credsStore: "nowhere", auths: { "a.example": stored("me:pw") } }, { username: "me" }],
])("for %s with %j", async (image, config, login) => {
  expect(await told(image, config)).toMatchObject(login);
});

test("nothing is told where nothing is kept", async () => {
  expect(await told("a.example/x", {})).toBeUndefined();
  expect(await told("a.example/x", { auths: { "b.example": stored("me:pw") } })).toBeUndefined();
  expect(await told("a.example/x", { credsStore: "tests" })).toBeUndefined();
  expect(await registryAuth("a.example/x", { DOCKER_CONFIG: join(folder, "none") })).toBeUndefined();
});

test("a build is told of all registries, by helpers too, and of none without a login", async () => {
  const home = await mkdtemp(join(folder, "config-"));
  const config = {
    auths: { "a.example": stored("me:pw"), "b.example": {} },
    credHelpers: { "helped.example": "tests", "c.example": "tests" },
  };
  await writeFile(join(home, "config.json"), JSON.stringify(config));
  const header = (await registryConfig({ DOCKER_CONFIG: home })) ?? "";
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
    "a.example": { username: "me", password: "pw" },
    "helped.example": { username: "me", password: "from-helper" },
  });
  expect(await registryConfig({ DOCKER_CONFIG: join(folder, "none") })).toBeUndefined();
});
