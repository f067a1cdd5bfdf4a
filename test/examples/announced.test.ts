import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { millrace, temporaryFolder } from "../host/cli/cli-fixture.ts";
import { makeBusyboxImage } from "../runtime/docker/base-image.ts";
import { dockerdForTests } from "../runtime/docker/dockerd.ts";
import { skipped as noEmulator, startEmulator, type Emulator } from "../runtime/lambda/emulator.ts";

const example = join(import.meta.dirname, "../../examples/announced");
const dockerd = noEmulator ? undefined : await dockerdForTests();

async function readJson(file: string): Promise<any> {
  return JSON.parse(await readFile(join(example, file), "utf8"));
}

/** As the design has it. */
const announced = {
  name: "A beautiful background function",
  id: "prompt-deer-ede40d",
  triggers: [{ event: "user/signed.up", expression: "user.created_at > '2020-01-01'" }],
  steps: {
    "step-1": {
      id: "step-1",
      path: "file://./steps/send-sms-dispatch",
      name: "Send SMS",
      runtime: { type: "docker" },
    },
    "step-2": {
      id: "step-2",
      path: "file://./steps/add-to-intercom",
      name: "Add user to Intercom",
      runtime: { type: "lambda" },
      after: [{ step: "step-1" }],
    },
  },
};

test("the announced document is as it was announced", async () => {
  expect(await readJson("function.json")).toEqual(announced);
});

describe.skipIf(dockerd === undefined)("the announced function", () => {
  let emulator: Emulator;
  let env: Record<string, string>;

  beforeAll(async () => {
    if (dockerd === undefined) return;
    await makeBusyboxImage(dockerd);
    emulator = await startEmulator({ handler: join(example, "steps/add-to-intercom/index.mjs") });
    env = { DOCKER_HOST: dockerd.host, AWS_ENDPOINT_URL_LAMBDA: emulator.endpoint };
    // There is no AWS to ask for credentials, and none are needed.
    env["AWS_EC2_METADATA_DISABLED"] = "true";
  }, 180_000);
  afterAll(async () => {
    await emulator?.close();
    await dockerd?.close();
  });

  const run = async (event: object) => {
    const cwd = await temporaryFolder();
    await cp(example, cwd, { recursive: true });
    const args = ["run", announced.id, "--event", JSON.stringify(event), "--json"];
    const { code, stdout, stderr } = await millrace(args, { cwd, env });
    return { code, run: stdout === "" ? stderr : JSON.parse(stdout) };
  };

  test("runs in a container and on AWS's emulator, and passes on what it puts out", async () => {
    const { run: report, code } = await run(await readJson("event.json"));
    const { status, outputs } = await readJson("expected.json");
    expect(report).toMatchObject({ status, outputs });
    expect(code).toBe(0);
  }, 180_000);

  test("fails for good where a step says so", async () => {
    const event = await readJson("event.json");
    const noPhone = await run({ ...event, user: { ...event.user, phone: undefined } });
    expect(noPhone).toMatchObject({ code: 1, run: { status: "failed" } });
    expect(JSON.stringify(noPhone.run)).toContain("the user has no phone");
    const noAddress = await run({ ...event, user: { ...event.user, email: undefined } });
    expect(noAddress).toMatchObject({ code: 1, run: { status: "failed" } });
    expect(JSON.stringify(noAddress.run)).toContain("FatalError: the user has no e-mail address");
  }, 180_000);

  test("takes no user who was there before 2020", async () => {
    const event = await readJson("event.json");
    const { code } = await run({ ...event, user: { ...event.user, created_at: "2019-12-31" } });
    expect(code).toBe(3);
  }, 180_000);
});
