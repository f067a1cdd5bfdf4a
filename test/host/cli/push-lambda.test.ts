import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { skipped, startCloud, type Cloud } from "../../runtime/lambda/cloud.ts";
import { millrace, startMillrace, temporaryFolder } from "./cli-fixture.ts";

const handler = (text: string): string =>
  `export const handler = async ({ event }) => { console.log("${text}"); return "${text} " + event.data.name; };`;

const document = {
  id: "greeting",
  triggers: [{ event: "user/signed.up" }],
  steps: { hello: { path: "file://./hello", runtime: { type: "lambda" } } },
};

async function write(cwd: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
}

describe.skipIf(skipped)("a project with a Lambda step", { timeout: 180_000 }, () => {
  let cloud: Cloud;
  let env: Record<string, string>;

  beforeAll(async () => {
    cloud = await startCloud();
    env = {
      AWS_ENDPOINT_URL_LAMBDA: cloud.endpoint,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
    };
  });
  afterAll(() => cloud.close());

  const push = async (cwd: string, ...more: string[]) => {
    const { code, stdout } = await millrace(["push", "--json", ...more], { cwd, env });
    return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
  };
  const start = async () => {
    const cwd = await temporaryFolder();
    const running = startMillrace(["start", "--port", "0", "--broker", "memory:"], {
      cwd,
      env,
    });
    const [, url = ""] = await running.until(/at (http:\S+)/);
    return url;
  };
  /** What an event's run came to. */
  const run = async (url: string, name: string) => {
    const body = JSON.stringify({ name: "user/signed.up", data: { name } });
    const headers = { "content-type": "application/json" };
    const sent = await fetch(`${url}/e/dev`, { method: "POST", headers, body });
    const { ids } = (await sent.json()) as { ids: string[] };
    for (;;) {
      const found = await (await fetch(`${url}/v1/runs?event=${ids[0]}`)).json();
      const [one] = (found as { runs: { id: string; status: string }[] }).runs;
      if (one !== undefined && ["completed", "failed"].includes(one.status))
        return (await (await fetch(`${url}/v1/runs/${one.id}`)).json()) as Record<string, any>;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  test("is pushed with its code, whose version is a part of the function's", async () => {
    const url = await start();
    const cwd = await temporaryFolder();
    await write(cwd, { "function.json": JSON.stringify(document), "hello/index.mjs": handler("Hello") });
    const missing = await push(cwd, "--url", url);
    expect(missing).toMatchObject({
      code: 1,
      answer: {
        error: {
          code: "ERR_PUSH_CODE",
          problems: [
            {
              code: "ERR_LAMBDA_FUNCTION",
              message: expect.stringContaining("greeting-hello"),
              file: "function.json",
              pointer: "/steps/hello",
            },
          ],
        },
      },
    });
    expect(await (await fetch(`${url}/v1/functions`)).json()).toEqual({ functions: [] });

    await cloud.moto.createFunction("greeting-hello");
    const dry = await push(cwd, "--url", url, "--dry-run");
    expect(dry.answer).toMatchObject({
      published: [{ function: "greeting-hello", changed: true }],
      dryRun: true,
    });
    const first = await push(cwd, "--url", url);
    expect(first.answer).toMatchObject({
      functions: [{ id: "greeting", changed: true }],
      published: [{ function: "greeting-hello", version: "1", changed: true }],
      uploaded: 0,
    });
    expect(await (await fetch(`${url}/v1/functions/greeting`)).json()).toMatchObject({
      components: {},
      pinned: {
        hello: {
          function: "arn:aws:lambda:eu-central-1:123456789012:function:greeting-hello",
          qualifier: "1",
        },
      },
    });
    const one = await run(url, "Ada");
    expect(one).toMatchObject({ status: "completed", steps: [{ output: "Hello Ada" }] });

    const again = await millrace(["push", "--url", url], { cwd, env });
    expect(again.stdout).toMatch(
      /^has its code {2}greeting-hello {2}version 1\nunchanged {2}greeting .*\nNothing changed\.\n$/s,
    );

    await write(cwd, { "hello/index.mjs": handler("Good morning") });
    expect((await push(cwd, "--url", url)).answer).toMatchObject({
      functions: [{ id: "greeting", changed: true }],
      published: [{ version: "2", changed: true }],
    });
    const two = await run(url, "Ada");
    expect(two).toMatchObject({ status: "completed", steps: [{ output: "Good morning Ada" }] });
    expect(two["functionVersion"]).not.toBe(one["functionVersion"]);
    const logs = await (await fetch(`${url}/v1/runs/${two["id"]}/logs`)).text();
    expect(logs).toContain('"message":"Good morning"');
  });

  test("runs to its end on the version of the code with which it began", async () => {
    const url = await start();
    const cwd = await temporaryFolder();
    const steps = {
      hello: { path: "file://./hello", runtime: { type: "lambda" } },
      later: {
        path: "file://./hello",
        runtime: { type: "lambda", function: "shop-later" },
        after: [{ step: "hello", wait: "3s" }],
      },
    };
    const files = { "function.json": JSON.stringify({ ...document, id: "shop", steps }) };
    await write(cwd, { ...files, "hello/index.mjs": handler("old") });
    await cloud.moto.createFunction("shop-hello");
    await cloud.moto.createFunction("shop-later");
    expect((await push(cwd, "--url", url)).code).toBe(0);
    const old = run(url, "Ada");
    await write(cwd, { "hello/index.mjs": handler("new") });
    expect((await push(cwd, "--url", url)).answer).toMatchObject({ functions: [{ changed: true }] });
    const fresh = run(url, "Bob");
    expect(await old).toMatchObject({ steps: [{ output: "old Ada" }, { output: "old Ada" }] });
    expect(await fresh).toMatchObject({ steps: [{ output: "new Bob" }, { output: "new Bob" }] });
  });

  test("whose steps would give one function different code is not pushed", async () => {
    const cwd = await temporaryFolder();
    const runtime = { type: "lambda", function: "both" };
    const steps = { a: { path: "file://./a", runtime }, b: { path: "file://./b", runtime } };
    await write(cwd, {
      "function.json": JSON.stringify({ ...document, steps }),
      "a/index.mjs": "1",
      "b/index.mjs": "2",
    });
    expect(await push(cwd, "--broker", "memory:")).toMatchObject({
      code: 1,
      answer: {
        error: { code: "ERR_PUSH_CODE", problems: [{ code: "ERR_LAMBDA_OPTIONS", pointer: "/steps/b" }] },
      },
    });
  });

  test.each([
    ["a file in place of a folder", { "hello.mjs": "1" }, "file://./hello.mjs", "ERR_FUNCTION_PATH_KIND"],
    ["a folder that is not there", {}, "file://./nowhere", "ERR_FUNCTION_PATH_MISSING"],
    ["an empty folder", { "hello/.DS_Store": "" }, "file://./hello", "ERR_BUILD_ARCHIVE"],
  ])("is not built with %s", async (_name, files, path, code) => {
    const cwd = await temporaryFolder();
    const steps = { hello: { path, runtime: { type: "lambda" } } };
    await write(cwd, { "function.json": JSON.stringify({ ...document, steps }), ...files });
    const { stdout } = await millrace(["build", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ error: { problems: [{ code }] } });
  });
});
