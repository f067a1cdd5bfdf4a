import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildProject } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { parseOciReference, type OciReference } from "../../../host/function/oci-reference.ts";
import { putArtifact } from "../../../host/oci/artifact.ts";
import { digestOf, openRepository } from "../../../host/oci/registry.ts";
import { serveRegistry } from "../../registry.ts";
import { functionText, projectFolder, type ProjectFixture } from "../build/project-fixture.ts";
import { programFixture } from "../cli/program-fixture.ts";

/** What `wkg oci push` of wkg 0.16.1 sent to a registry, byte by byte: a component that does nothing, with an author. */
const pushed = (name: string): Buffer => readFileSync(join(import.meta.dirname, "../../fixtures/oci", name));
const manifestType = "application/vnd.oci.image.manifest.v1+json";

const registry = await serveRegistry("none");
const host = registry?.host ?? "";
const hasWkg = spawnSync("wkg", ["--version"]).status === 0;
if (!hasWkg) console.error("TESTS OF WKG ITSELF ARE SKIPPED: cargo install wkg");

let fixture: ProjectFixture;
beforeEach(async () => {
  fixture = await projectFolder();
});
afterEach(() => fixture.dispose());
afterAll(() => registry?.close());

function reference(text: string): OciReference {
  const parsed = parseOciReference(text);
  if ("message" in parsed) throw new Error(parsed.message);
  return parsed;
}

async function pulled(path: string) {
  await fixture.write({ "function.json": functionText({ s: "x" }).replace("file://./x", path) });
  const { functions, problems } = await buildProject(await loadProject(fixture.folder));
  return { problems, bytes: await functions[0]?.components["s"]?.bytes() };
}

function wkg(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("wkg", ["oci", ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

describe.skipIf(registry === undefined)("an artifact of wkg", () => {
  test("as wkg pushed it once is pulled", async () => {
    const tagged = reference(`oci://${host}/acme/kept:1.0.0`);
    const repository = openRepository(tagged, { actions: "pull,push" });
    await repository.putBlob(pushed("nothing.wasm"));
    await repository.putBlob(pushed("config.json"));
    const digest = await repository.putManifest("1.0.0", pushed("manifest.json"), manifestType);
    for (const path of [`oci://${host}/acme/kept:1.0.0`, `oci://${host}/acme/kept@${digest}`]) {
      expect(await pulled(path)).toEqual({ problems: [], bytes: pushed("nothing.wasm") });
    }
  });

  test("has the shape of one that Millrace pushes", async () => {
    const bytes = pushed("nothing.wasm");
    const tagged = reference(`oci://${host}/acme/shape:1.0.0`);
    const exports = ["wasi:cli/run@0.2.9"];
    await putArtifact(tagged, { bytes, isComponent: true, imports: [], exports }, {});
    const repository = openRepository(tagged, { actions: "pull" });
    const ours = JSON.parse((await repository.manifest("1.0.0")).bytes.toString());
    const theirs = JSON.parse(pushed("manifest.json").toString());
    // What it is called where it was pushed from, and what its author said, are theirs alone.
    delete theirs.annotations;
    delete theirs.layers[0].annotations;
    const { config: theirConfig, ...theirRest } = theirs;
    const { config, ...rest } = ours;
    expect(rest).toEqual(theirRest);
    expect(config.mediaType).toBe(theirConfig.mediaType);
    const configured = JSON.parse((await repository.blob(config.digest, 4_096)).toString());
    const { author: _, created, ...told } = JSON.parse(pushed("config.json").toString());
    expect(configured).toEqual({ ...told, created: "1970-01-01T00:00:00Z" });
    expect(new Date(created).getTime()).toBeGreaterThan(0);
    expect(config.digest).toBe(digestOf(Buffer.from(JSON.stringify(configured))));
  });
});

describe.skipIf(registry === undefined || !hasWkg)("wkg itself", () => {
  test("pushes what Millrace pulls", async () => {
    const file = join(import.meta.dirname, "../../fixtures/oci/nothing.wasm");
    const name = `${host}/acme/theirs:1.0.0`;
    wkg("push", "--insecure", host, name, file);
    expect(await pulled(`oci://${name}`)).toEqual({ problems: [], bytes: pushed("nothing.wasm") });
  });

  test.each([
    ["a component", pushed("nothing.wasm"), true],
    ["a core module", programFixture({ stdout: "1" }), false],
  ])("pulls %s that Millrace pushed", async (_, bytes, isComponent) => {
    const tagged = reference(`oci://${host}/acme/ours:${isComponent ? "1" : "2"}.0.0`);
    await putArtifact(tagged, { bytes, isComponent, imports: [], exports: [] }, {});
    const output = join(fixture.folder, "out.wasm");
    wkg("pull", "--insecure", host, `${host}/acme/ours:${tagged.tag}`, "--output", output);
    expect(readFileSync(output)).toEqual(bytes);
  });
});
