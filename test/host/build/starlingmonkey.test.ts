import { cp, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildProject } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { normalCapabilities } from "../../../host/function/capabilities.ts";
import type { Json } from "../../../runtime/json.ts";
import { componentizeJs } from "./find-componentize-js.ts";
import { projectFolder, type ProjectFixture } from "./project-fixture.ts";
import { type Given, stepRunner, type StepRunner } from "./step-runner.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/projects");
const packages = componentizeJs();

const runtime = { type: "wasm", interpreter: "starlingmonkey" };
const files = {
  throws: "throws.ts",
  raw: "raw.ts",
  language: "language.js",
  web: "web.js",
  main: "main.js",
  send: "send.js",
};

/** What QuickJS does not have. */
const web = `export default async ({ event }) => {
  const bytes = new TextEncoder().encode("abc");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const stream = new Blob(["a".repeat(1000)]).stream().pipeThrough(new CompressionStream("gzip"));
  let packed = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) packed += part.value.length;
  console.warn("packed", { small: packed < 100 });
  return { digest: digest[0].toString(16), small: packed < 100, random: Math.random(), now: Date.now(), name: event.name };
};
`;

const send = "export default async ({ event }) => (await fetch(event.data.url)).json();\n";

/** A program that goes on behind the end of its module. */
const main = `async function main() {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const never = setTimeout(() => console.log("never"), 60_000);
  const text = await new Promise((resolve) => process.stdin.on("data", resolve));
  clearTimeout(never);
  if (JSON.parse(text).event.data.do === "reject") throw Object.assign(new Error("rejected"), { fatal: true });
  if (JSON.parse(text).event.data.do === "throw") setTimeout(() => { throw new Error("in a timer"); }, 1);
  else console.log(JSON.stringify({ text: text === process.argv[2], env: process.env.A }));
}
main();
`;

describe.skipIf(packages === undefined)("JavaScript on StarlingMonkey", () => {
  let fixture: ProjectFixture;
  let runner: StepRunner;
  beforeAll(async () => {
    fixture = await projectFolder();
    const { folder } = fixture;
    await cp(join(fixtures, "javascript"), folder, { recursive: true });
    await cp(join(fixtures, "languages/steps/javascript.js"), join(folder, "steps/language.js"));
    await symlink(packages ?? "", join(folder, "node_modules"));
    const capabilities = { http: ["example.com"] };
    const steps = Object.fromEntries(
      Object.entries(files).map(([id, file]) => [
        id,
        { path: `file://./steps/${file}`, runtime, ...(id === "send" && { capabilities }) },
      ]),
    );
    const document = { id: "f", triggers: [{ event: "a/b" }], steps };
    await fixture.write({
      "steps/web.js": web,
      "steps/send.js": send,
      "steps/main.js": main,
      "function.json": JSON.stringify(document),
    });
    runner = await stepRunner(folder, { engine: "v8" });
    expect(runner.built.problems).toEqual([]);
  }, 600_000);
  afterAll(async () => {
    await runner?.dispose();
    await fixture?.dispose();
  });

  const run = (step: string, what: Json, capabilities?: Given["capabilities"]) =>
    runner.run(step, { data: what, ...(capabilities && { capabilities }) });

  test.each([
    ["error", { code: "ERR_STEP_FAILED", message: "plain", retry: true }],
    ["type", { code: "ERR_STEP_FAILED", message: "TypeError: typed", retry: true }],
    ["string", { code: "ERR_STEP_FAILED", message: "just text", retry: true }],
    ["fatal", { code: "ERR_STEP_FATAL", message: "for good", retry: false }],
    ["after text", { code: "ERR_STEP_FAILED", message: "later", retry: true, retryAfterMs: 90_000 }],
    ["after number", { code: "ERR_STEP_FAILED", message: "later", retry: true, retryAfterMs: 250 }],
    ["lost", { code: "ERR_STEP_FAILED", message: "lost", retry: true }],
    ["timer", { code: "ERR_STEP_FAILED", message: "in a timer", retry: true }],
    // Its loop ends, and with it the instance.
    ["never", { code: "ERR_STEP_TRAP", message: expect.any(String) as string, retry: true }],
    [
      "exit",
      { code: "ERR_STEP_FATAL", message: expect.stringContaining("process.exit") as string, retry: false },
    ],
    [
      "fetch",
      { code: "ERR_STEP_FAILED", message: expect.stringContaining("granted `http`") as string, retry: true },
    ],
  ])("fails as what it throws says: %s", async (kind, failure) => {
    expect(await run("throws", { kind })).toMatchObject({ ok: false, failure });
  });

  test("logs the stack of what it throws in lines of its own files", async () => {
    const { logs } = await run("throws", { kind: "deep" });
    expect(logs).toEqual([
      { level: "error", message: "RangeError: deep\n    at deep (lib/deep.ts:4)\n    at steps/throws.ts:21" },
    ]);
  });

  test("may export the world's own handler", async () => {
    const result = await runner.run("raw", { data: { kind: "echo" }, steps: { one: [1] } });
    expect(result).toMatchObject({
      output: {
        event: { data: '{"kind":"echo"}', user: null, ts: 1_700_000_000_123 },
        steps: [{ step: "one", output: "[1]" }],
        ctx: { runId: "run-1", attempt: 1, failure: null },
      },
    });
    expect(await run("raw", { kind: "retry" })).toMatchObject({
      failure: { message: "later", retryAfterMs: 70 },
    });
    expect(await run("raw", { kind: "fatal" })).toMatchObject({ failure: { code: "ERR_STEP_FATAL" } });
  });

  test("has Web APIs, and the time and randomness of its attempt", async () => {
    const before = Date.now();
    const [one, other] = [await run("web", {}), await run("web", {})];
    expect(one).toMatchObject({
      ok: true,
      output: { digest: "ba", small: true, name: "a/b" },
      logs: [{ level: "warn", message: "packed { small: true }" }],
    });
    const values = [one, other].map((result) =>
      result.ok ? (result.output as { random: number; now: number }) : undefined,
    );
    expect(values[0]?.random).not.toBe(values[1]?.random);
    expect(values[0]?.now).toBeGreaterThanOrEqual(before);
    const seeded = { seed: "1" };
    const first = await run("web", {}, seeded);
    expect(first).toMatchObject({ ok: true });
    expect(await run("web", {}, seeded)).toEqual(first);
  });

  test("sends requests where it may", async () => {
    const server = createServer((request, response) => {
      response.end(JSON.stringify({ path: request.url }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const capabilities = normalCapabilities({ http: [{ host, private: true }] });
      expect(await run("send", { url: `${host}/x` }, capabilities)).toMatchObject({
        ok: true,
        output: { path: "/x" },
      });
      expect(await run("send", { url: "http://127.0.0.1:1/" }, capabilities)).toMatchObject({ ok: false });
    } finally {
      server.close();
    }
  });

  test.each([
    ["echo", { ok: true, output: { language: "javascript", same: true, before: {} } }],
    ["empty", { ok: true, output: null }],
    ["text", { ok: true, output: "héllo ✓" }],
    ["fatal", { failure: { code: "ERR_STEP_FATAL", message: "The step exited with code 65: doing fatal" } }],
    ["fail", { failure: { code: "ERR_STEP_FAILED", message: "The step exited with code 3: doing fail" } }],
  ])("may be a program: %s", async (what, result) => {
    expect(await run("language", { do: what })).toMatchObject({
      ...result,
      logs: [{ level: "info", message: `doing ${what}` }],
    });
  });

  test("may be a program that goes on behind the end of its module", async () => {
    expect(await run("main", { do: "all" }, { env: { A: "1" } })).toMatchObject({
      output: { text: true, env: "1" },
    });
    expect(await run("main", { do: "reject" })).toMatchObject({ failure: { code: "ERR_STEP_FATAL" } });
    const thrown = await run("main", { do: "throw" });
    expect(thrown).toMatchObject({ failure: { code: "ERR_STEP_FAILED" } });
    expect(thrown.logs[0]).toMatchObject({ message: "Uncaught Error: in a timer" });
  });
});

describe("a step on StarlingMonkey", () => {
  let fixture: ProjectFixture;
  beforeEach(async () => {
    fixture = await projectFolder({ "steps/s.js": "export default () => 1;\n", "steps/s.py": "print(1)\n" });
  });
  afterEach(() => fixture.dispose());

  async function problemsOf(step: object) {
    const document = { id: "f", triggers: [{ event: "a/b" }], steps: { s: step } };
    await fixture.write({ "function.json": JSON.stringify(document) });
    const project = await loadProject(fixture.folder);
    return [...project.problems, ...(await buildProject(project)).problems];
  }

  test("is told how to install what builds it", async () => {
    expect(await problemsOf({ path: "file://./steps/s.js", runtime })).toMatchObject([
      {
        code: "ERR_BUILD_TOOLCHAIN_MISSING",
        message: expect.stringContaining(
          "npm install --save-dev @bytecodealliance/componentize-js",
        ) as string,
      },
    ]);
  });

  test.skipIf(packages === undefined)("can't have what it has no interface for", async () => {
    await symlink(packages ?? "", join(fixture.folder, "node_modules"));
    const step = { path: "file://./steps/s.js", runtime, capabilities: { kv: true, http: ["a.example"] } };
    expect(await problemsOf(step)).toMatchObject([
      { code: "ERR_BUILD_IMPORT", message: expect.stringContaining("the capability `kv`") as string },
    ]);
  });

  test.each([
    ["a file in another language", { path: "file://./steps/s.py", runtime }],
    ["another language", { path: "file://./steps/s.js", runtime: { ...runtime, language: "python" } }],
    ["a command", { path: "file://./s.wasm", build: "true", runtime }],
    ["a container", { path: "file://./steps/s.js", runtime: { ...runtime, type: "docker" } }],
    ["a registry", { path: "oci://localhost:1/a:1", runtime }],
  ])("is JavaScript: %s is refused", async (_, step) => {
    expect((await problemsOf(step)).map(({ code }) => code)).toContain("ERR_FUNCTION_LANGUAGE");
  });
});
