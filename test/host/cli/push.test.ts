import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { millrace, startMillrace, temporaryFolder } from "./cli-fixture.ts";
import { programFixture } from "./program-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

const steps = { first: { stdout: "1" }, second: { stdout: "2" } };
const shop = {
  ...functionFiles({ id: "shop", event: "order/placed", steps }),
  "events/order/placed.json": { type: "object" },
};

async function startHost(...more: string[]): Promise<string> {
  const args = ["start", "--port", "0", "--broker", "memory:", ...more];
  const running = startMillrace(args, { cwd: await temporaryFolder() });
  const [, url = ""] = await running.until(/at (http:\S+)/);
  return url;
}

async function push(cwd: string, ...more: string[]) {
  const { code, stdout } = await millrace(["push", "--json", ...more], { cwd });
  return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
}

test("a push uploads what is missing, the same again nothing, and a changed step itself alone", async () => {
  const url = await startHost();
  const cwd = await writeProject(shop);
  const dry = await push(cwd, "--url", url, "--dry-run");
  expect(dry).toMatchObject({ code: 0, answer: { steps: 2, uploaded: 2, dryRun: true } });
  expect(await (await fetch(`${url}/v1/functions`)).json()).toEqual({ functions: [] });

  const twice = await Promise.all([push(cwd, "--url", url), push(cwd, "--url", url)]);
  expect(twice.map(({ code }) => code)).toEqual([0, 0]);
  const same = await push(cwd, "--url", url);
  expect(same.answer).toMatchObject({
    functions: [{ id: "shop", changed: false }],
    schemas: [],
    steps: 2,
    uploaded: 0,
    bytes: 0,
  });
  const text = await millrace(["push", "--url", url], { cwd });
  expect(text.stdout).toMatch(/^unchanged {2}shop {2}\w{12}\n2 steps, 0 uploaded\nNothing changed\.\n$/);

  const changed = programFixture({ stdout: "3" });
  await writeFile(join(cwd, "shop/second.wasm"), changed);
  const again = await push(cwd, "--url", url);
  expect(again.answer).toMatchObject({
    functions: [{ id: "shop", changed: true }],
    uploaded: 1,
    bytes: changed.length,
  });
});

test("functions and schemas of other projects stay", async () => {
  const url = await startHost();
  await push(await writeProject(shop), "--url", url);
  const other = {
    ...functionFiles({ id: "other", steps: { only: {} } }),
    "events/other/event.json": { type: "object" },
  };
  const { answer } = await push(await writeProject(other), "--url", url);
  expect(answer).toMatchObject({ schemas: ["other/event"] });
  const { functions } = (await (await fetch(`${url}/v1/functions`)).json()) as {
    functions: { id: string }[];
  };
  expect(functions.map(({ id }) => id).toSorted()).toEqual(["other", "shop"]);
  const { schemas } = (await (await fetch(`${url}/v1/schemas`)).json()) as { schemas: object };
  expect(Object.keys(schemas).toSorted()).toEqual(["order/placed", "other/event"]);
});

test("a project with a problem is not pushed in part, and the problem has its place", async () => {
  const url = await startHost();
  const cwd = await writeProject({ ...shop, "broken/function.json": '{\n  "id": 7\n}' });
  const { code, answer } = await push(cwd, "--url", url);
  expect(code).toBe(2);
  expect(answer).toMatchObject({
    error: {
      code: "ERR_PROJECT_INVALID",
      problems: expect.arrayContaining([
        expect.objectContaining({ file: "broken/function.json", pointer: "/id", line: 2 }),
      ]),
    },
  });
  expect(await (await fetch(`${url}/v1/functions`)).json()).toEqual({ functions: [] });
});

test("a wrong key, no host and two ways at once are told with their codes", async () => {
  const cwd = await writeProject(shop);
  const url = await startHost("--api-key", "right");
  const wrong = await push(cwd, "--url", url, "--key", "wrong");
  expect(wrong).toMatchObject({ code: 2, answer: { error: { code: "ERR_API_KEY" } } });
  expect(await push(cwd, "--url", url, "--key", "right")).toMatchObject({ code: 0 });
  const nobody = await push(cwd, "--url", "http://127.0.0.1:1");
  expect(nobody).toMatchObject({ code: 4, answer: { error: { code: "ERR_HOST_UNREACHABLE" } } });
  const both = await push(cwd, "--url", url, "--broker", "memory:");
  expect(both).toMatchObject({ code: 2, answer: { error: { code: "ERR_USAGE" } } });
});

test("a push straight into a store is there when a host starts on it", async () => {
  const cwd = await writeProject(shop);
  const store = `sqlite:${join(await temporaryFolder(), "host.db")}`;
  expect(await push(cwd, "--broker", store)).toMatchObject({ code: 0, answer: { uploaded: 2 } });
  expect(await push(cwd, "--broker", store)).toMatchObject({ code: 0, answer: { uploaded: 0 } });
  const running = startMillrace(["start", "--port", "0", "--broker", store], { cwd });
  const [, url = ""] = await running.until(/at (http:\S+)/);
  const { functions } = (await (await fetch(`${url}/v1/functions`)).json()) as {
    functions: { id: string }[];
  };
  expect(functions).toMatchObject([{ id: "shop" }]);
  const locked = await push(cwd, "--broker", store);
  expect(locked).toMatchObject({ code: 4, answer: { error: { code: "ERR_STORE_LOCKED" } } });
});
