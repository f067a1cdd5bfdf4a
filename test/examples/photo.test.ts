import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { secrets, serve } from "../../examples/photo/api.ts";
import { millrace, temporaryFolder } from "../host/cli/cli-fixture.ts";
import { makeBusyboxImage } from "../runtime/docker/base-image.ts";
import { dockerdForTests } from "../runtime/docker/dockerd.ts";
import { skipped as noEmulator, startEmulator, type Emulator } from "../runtime/lambda/emulator.ts";

const example = join(import.meta.dirname, "../../examples/photo");
const dockerd = noEmulator ? undefined : await dockerdForTests();

async function readJson(file: string): Promise<any> {
  return JSON.parse(await readFile(join(example, file), "utf8"));
}

describe.skipIf(dockerd === undefined)("a function with a step on each runtime", () => {
  let emulator: Emulator;
  let gallery: Awaited<ReturnType<typeof serve>>;
  let env: Record<string, string>;

  beforeAll(async () => {
    if (dockerd === undefined) return;
    await makeBusyboxImage(dockerd);
    emulator = await startEmulator({ handler: join(example, "steps/describe/index.mjs") });
    gallery = await serve(0);
    env = {
      DOCKER_HOST: dockerd.host,
      AWS_ENDPOINT_URL_LAMBDA: emulator.endpoint,
      // There is no AWS to ask for credentials, and none are needed.
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }, 180_000);
  afterAll(async () => {
    await gallery?.close();
    await emulator?.close();
    await dockerd?.close();
  });

  /** Runs a copy whose document names the gallery's own port. */
  const run = async (key: string, event?: object) => {
    const cwd = await temporaryFolder();
    await cp(example, cwd, { recursive: true });
    const document = await readFile(join(example, "function.json"), "utf8");
    await writeFile(join(cwd, "function.json"), document.replace(":8643", `:${gallery.port}`));
    const args = [
      "run",
      "photo",
      "--json",
      ...(event === undefined ? [] : ["--event", JSON.stringify(event)]),
    ];
    const { code, stdout, stderr } = await millrace(args, {
      cwd,
      env: { ...env, MILLRACE_SECRET_GALLERY_KEY: key },
    });
    return { code, run: stdout === "" ? stderr : JSON.parse(stdout), said: stdout + stderr };
  };

  test("goes from WebAssembly to a container, to Lambda and to an HTTP endpoint", async () => {
    const { code, run: report, said } = await run(secrets.GALLERY_KEY);
    const { status, outputs, attempts } = await readJson("expected.json");
    expect(report).toMatchObject({ status, outputs });
    expect(code).toBe(0);
    expect(Object.keys(attempts)).toEqual(Object.keys(outputs));
    expect(said).not.toContain(secrets.GALLERY_KEY);
  }, 180_000);

  test("ends at the endpoint that checks signatures, where the key is another one", async () => {
    const { code, run: report } = await run("a-key-that-it-does-not-know");
    expect(code).toBe(1);
    expect(JSON.stringify(report)).toContain("a wrong signature");
    expect(report.outputs).toHaveProperty("describe");
  }, 180_000);

  test("does not get to the container with what is no photo", async () => {
    const event = await readJson("event.json");
    const wrong = { ...event, data: { ...event.data, width: 0 } };
    const { code, said } = await run(secrets.GALLERY_KEY, wrong);
    expect(code).toBe(2);
    expect(said).toContain("/data/width");
  }, 180_000);
});
