import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildProject, type BuildProgress } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { parseOciReference, type OciReference } from "../../../host/function/oci-reference.ts";
import { findArtifact, putArtifact } from "../../../host/oci/artifact.ts";
import { digestOf, openRepository } from "../../../host/oci/registry.ts";
import { login, serveRegistry, type ServedRegistry } from "../../registry.ts";
import { functionText, projectFolder, type ProjectFixture } from "../build/project-fixture.ts";
import { millrace } from "../cli/cli-fixture.ts";
import { programFixture } from "../cli/program-fixture.ts";
import { startTokenService, type TokenService } from "./token-service.ts";

const tokens: TokenService = await startTokenService(login.username, login.password);
const open = await serveRegistry("none");
const closed = await serveRegistry("passwords");
const guarded = await serveRegistry(tokens.auth);
const registries = [open, closed, guarded].filter((registry) => registry !== undefined);

let fixture: ProjectFixture;
const before = process.env["DOCKER_CONFIG"];
beforeEach(async () => {
  fixture = await projectFolder();
  process.env["DOCKER_CONFIG"] = join(fixture.folder, "docker");
});
afterEach(async () => {
  if (before === undefined) delete process.env["DOCKER_CONFIG"];
  else process.env["DOCKER_CONFIG"] = before;
  await fixture.dispose();
});
afterAll(async () => {
  tokens.close();
  await Promise.all(registries.map((registry) => registry.close()));
});

/** What `docker login` writes. */
async function dockerConfig(config: object): Promise<void> {
  await mkdir(join(fixture.folder, "docker"), { recursive: true });
  writeFileSync(join(fixture.folder, "docker/config.json"), JSON.stringify(config));
}

const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
const program = programFixture({ stdout: '"pulled"' });
const newArtifact = { bytes: program, isComponent: false, imports: [], exports: [] };

function reference(text: string): OciReference {
  const parsed = parseOciReference(text);
  if ("message" in parsed) throw new Error(parsed.message);
  return parsed;
}

async function build(path: string) {
  const text = functionText({ s: "x" }).replace("file://./x", path);
  await fixture.write({ "function.json": text });
  const states: string[] = [];
  const project = await loadProject(fixture.folder);
  const onProgress = ({ state }: BuildProgress): void => void states.push(state);
  const built = await buildProject(project, { onProgress });
  return {
    state: states.at(-1),
    problems: [...project.problems, ...built.problems],
    sha256: built.functions[0]?.components["s"]?.sha256,
    bytes: await built.functions[0]?.components["s"]?.bytes(),
  };
}

describe.skipIf(registries.length < 3)("a registry", () => {
  const host = (registry: ServedRegistry | undefined): string => registry?.host ?? "";

  test("gives back the component that was put, whose digest the build fixes", async () => {
    const tagged = reference(`oci://${host(open)}/acme/greet:1.0`);
    const { digest } = await putArtifact(tagged, newArtifact, {});
    const first = await build(`oci://${host(open)}/acme/greet:1.0`);
    expect(first).toMatchObject({ state: "built", problems: [], sha256: digestOf(program).slice(7) });
    expect(first.bytes).toEqual(program);
    // The tag moves on, the digest does not.
    await putArtifact(tagged, { ...newArtifact, bytes: programFixture({ stdout: "2" }) }, {});
    expect((await build(`oci://${host(open)}/acme/greet:1.0`)).sha256).not.toBe(first.sha256);
    const fixed = await build(`oci://${host(open)}/acme/greet@${digest}`);
    expect(fixed).toMatchObject({ state: "cached", problems: [], sha256: first.sha256 });
  });

  test("has the same digest for the same component", async () => {
    const again = reference(`oci://${host(open)}/acme/same:1`);
    const first = await putArtifact(again, newArtifact, {});
    expect(await putArtifact(again, newArtifact, {})).toEqual(first);
  });

  test("has the media types that other tools look for", async () => {
    const tagged = reference(`oci://${host(open)}/acme/types:1`);
    await putArtifact(tagged, newArtifact, {});
    const { bytes } = await openRepository(tagged, { actions: "pull" }).manifest("1");
    expect(JSON.parse(bytes.toString())).toMatchObject({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.wasm.config.v0+json" },
      layers: [{ mediaType: "application/wasm", size: program.length, digest: digestOf(program) }],
    });
  });

  test("without a digest's artifact, or without any of that name, is told", async () => {
    for (const version of [":nothing", `@sha256:${"0".repeat(64)}`]) {
      expect((await build(`oci://${host(open)}/acme/greet${version}`)).problems).toMatchObject([
        { code: "ERR_OCI_MISSING", file: `oci://${host(open)}/acme/greet${version}` },
      ]);
    }
  });

  test.each([
    [
      "an image",
      { layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }] },
      /is no artifact of one/,
    ],
    [
      "two components",
      { layers: [1, 2].map(() => ({ mediaType: "application/wasm" })) },
      /is no artifact of one/,
    ],
    ["an empty index", { manifests: [] }, /is an index of 0 artifacts/],
  ])("with %s instead of a component is told", async (_, content, message) => {
    const target = reference(`oci://${host(open)}/acme/odd:1`);
    const repository = openRepository(target, { actions: "pull,push" });
    await repository.putBlob(program);
    const blob = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(program),
      size: 1,
    };
    const isIndex = "manifests" in content;
    const mediaType = `application/vnd.oci.image.${isIndex ? "index" : "manifest"}.v1+json`;
    const layers = ("layers" in content ? content.layers : []).map((layer) => ({ ...blob, ...layer }));
    const manifest = { schemaVersion: 2, mediaType, ...(isIndex ? content : { config: blob, layers }) };
    await repository.putManifest("1", Buffer.from(JSON.stringify(manifest)), mediaType);
    expect((await build(`oci://${host(open)}/acme/odd:1`)).problems).toMatchObject([
      { code: "ERR_OCI_INVALID", message: expect.stringMatching(message) },
    ]);
  });

  test("that wants a password takes the one that docker login left", async () => {
    const tagged = reference(`oci://${host(closed)}/acme/greet:1`);
    await expect(putArtifact(tagged, newArtifact, {})).rejects.toMatchObject({
      code: "ERR_OCI_DENIED",
      message: expect.stringMatching(/docker login 127/) as string,
    });
    await dockerConfig({ auths: { [host(closed)]: { auth: Buffer.from("step:wrong").toString("base64") } } });
    await expect(putArtifact(tagged, newArtifact, {})).rejects.toMatchObject({
      code: "ERR_OCI_DENIED",
      message: expect.stringMatching(/refuses these credentials/) as string,
    });
    await dockerConfig({ auths: { [host(closed)]: { auth } } });
    await putArtifact(tagged, newArtifact, {});
    expect((await build(`oci://${host(closed)}/acme/greet:1`)).problems).toEqual([]);
  });

  test("takes the password of a helper that docker's configuration names", async () => {
    const folder = join(fixture.folder, "helpers");
    await mkdir(folder);
    const answer = JSON.stringify({ Username: login.username, Secret: login.password });
    writeFileSync(join(folder, "docker-credential-tests"), `#!/bin/sh\ncat > /dev/null; echo '${answer}'\n`, {
      mode: 0o755,
    });
    await dockerConfig({ credHelpers: { [host(closed)]: "tests" } });
    const path = process.env["PATH"];
    process.env["PATH"] = `${folder}:${path}`;
    try {
      const { digest } = await putArtifact(reference(`oci://${host(closed)}/acme/helped:1`), newArtifact, {});
      expect(digest).toMatch(/^sha256:/);
    } finally {
      process.env["PATH"] = path;
    }
  });

  test.each([
    ["a password", { auth }],
    ["a refresh token", { identitytoken: tokens.refreshToken }],
  ])("that wants tokens is given one, for %s", async (_, entry) => {
    const tagged = reference(`oci://${host(guarded)}/acme/greet:1`);
    await expect(putArtifact(tagged, newArtifact, {})).rejects.toMatchObject({ code: "ERR_OCI_DENIED" });
    await dockerConfig({ auths: { [host(guarded)]: entry } });
    await putArtifact(tagged, newArtifact, {});
    const { layer, bytes } = await findArtifact(tagged, {});
    expect(layer).toBe(digestOf(program));
    expect(Buffer.from(await bytes())).toEqual(program);
  });

  test("is where `push --to` puts the components of a project", async () => {
    await fixture.write({ "function.json": functionText({ One: "x.wasm" }, "Shop"), "x.wasm": program });
    const to = `oci://${host(open)}/acme/steps:2.0`;
    const dry = await millrace(["push", "--to", to, "--dry-run", "--json"], { cwd: fixture.folder });
    expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true });
    expect((await build(`oci://${host(open)}/acme/steps/shop/one:2.0`)).problems).toMatchObject([
      { code: "ERR_OCI_MISSING" },
    ]);
    await fixture.write({ "function.json": functionText({ One: "x.wasm" }, "Shop") });
    const { code, stdout } = await millrace(["push", "--to", to, "--json"], { cwd: fixture.folder });
    expect(code).toBe(0);
    const { pushed } = JSON.parse(stdout) as { pushed: { reference: string }[] };
    expect(pushed).toMatchObject([{ function: "Shop", step: "One" }]);
    const [one] = pushed;
    expect(one?.reference).toMatch(
      new RegExp(`^oci://${host(open)}/acme/steps/shop/one@sha256:[0-9a-f]{64}$`),
    );
    expect((await build(one?.reference ?? "")).sha256).toBe(digestOf(program).slice(7));
    expect((await build(`oci://${host(open)}/acme/steps/shop/one:2.0`)).problems).toEqual([]);
  });
});

describe("a server that is no registry, or not a good one", () => {
  let server: Server;
  let host = "";
  let answer: (url: string, authorization: string | undefined) => readonly [number, object, string | Buffer];
  const seen: (string | undefined)[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      const [status, headers, body] = answer(request.url ?? "", request.headers.authorization);
      response.writeHead(status, { ...headers }).end(body);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  const manifest = JSON.stringify({
    layers: [{ mediaType: "application/wasm", digest: digestOf(program), size: program.length }],
  });

  test("does not answer", async () => {
    expect((await build("oci://127.0.0.1:1/a/b:1")).problems).toMatchObject([
      { code: "ERR_OCI_UNREACHABLE", message: expect.stringMatching(/ECONNREFUSED/) },
    ]);
    answer = () => [500, {}, "broken"];
    expect((await build(`oci://${host}/a/b:1`)).problems).toMatchObject([
      { code: "ERR_OCI_UNREACHABLE", message: expect.stringMatching(/500: broken/) },
    ]);
  });

  test("sends another component than the manifest names", async () => {
    answer = (url) => (url.includes("/blobs/") ? [200, {}, "other"] : [200, {}, manifest]);
    expect((await build(`oci://${host}/a/b:1`)).problems).toMatchObject([
      { code: "ERR_OCI_INVALID", message: expect.stringMatching(/sent sha256:[0-9a-f]+ for sha256:/) },
    ]);
  });

  test("sends another manifest than the digest names", async () => {
    answer = () => [200, {}, manifest];
    expect((await build(`oci://${host}/a/b@sha256:${"1".repeat(64)}`)).problems).toMatchObject([
      { code: "ERR_OCI_INVALID" },
    ]);
  });

  test("wants the password sent where it is not encrypted", async () => {
    await dockerConfig({ auths: { [host]: { auth } } });
    answer = () => [401, { "www-authenticate": 'Bearer realm="http://example.com/token",service="x"' }, ""];
    expect((await build(`oci://${host}/a/b:1`)).problems).toMatchObject([
      { code: "ERR_OCI_DENIED", message: expect.stringMatching(/not encrypted/) },
    ]);
  });

  test("redirects to another, which is not told the password", async () => {
    await dockerConfig({ auths: { [host]: { auth } } });
    const elsewhere = host.replace("127.0.0.1", "localhost");
    answer = (url, authorization) => {
      if (url === "/elsewhere") return [200, {}, program];
      if (authorization === undefined) return [401, { "www-authenticate": 'Basic realm="x"' }, ""];
      if (url.includes("/manifests/")) return [200, {}, manifest];
      return [307, { location: `http://${elsewhere}/elsewhere` }, ""];
    };
    seen.length = 0;
    expect((await build(`oci://${host}/a/b:1`)).problems).toEqual([]);
    expect(seen).toEqual([undefined, `Basic ${auth}`, `Basic ${auth}`, undefined]);
  });
});

describe("a reference", () => {
  test.each([
    ["oci://ghcr.io/acme/greet:1.2", { registry: "ghcr.io", repository: "acme/greet", tag: "1.2" }],
    ["oci://localhost/a:x", { registry: "localhost", repository: "a", tag: "x" }],
    ["oci://[::1]:5000/a/b-c__d.e:1", { registry: "[::1]:5000", repository: "a/b-c__d.e", tag: "1" }],
    [`oci://r.io/a:t@sha256:${"a".repeat(64)}`, { tag: "t", digest: `sha256:${"a".repeat(64)}` }],
  ])("may be %s", (text, expected) => {
    expect(parseOciReference(text)).toMatchObject(expected);
  });

  test.each([
    ["oci://acme/greet:1", /no registry's host name: oci:\/\/ghcr.io\/acme\/greet/],
    ["oci://ghcr.io/Acme/greet:1", /no repository/],
    ["oci://ghcr.io/acme//greet:1", /no repository/],
    ["oci://ghcr.io/acme/greet", /neither a tag nor a digest/],
    ["oci://ghcr.io/acme/greet:-x", /no tag/],
    ["oci://ghcr.io/acme/greet@sha256:12", /no digest/],
    ["oci://ghcr.io", /no reference/],
    ["oci://a_b.io/x:1", /no host name/],
    ["oci:///x:1", /no reference/],
  ])("may not be %s", async (text, message) => {
    expect((await build(text)).problems).toMatchObject([
      { code: "ERR_FUNCTION_PATH", pointer: "/steps/s/path", message: expect.stringMatching(message) },
    ]);
  });
});
