import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { inspect } from "../../../runtime/wasm/component.ts";
import { type CapableProject, capableProject, type CapableStep } from "./capable-runner.ts";

let cacheDir: string;
const projects: CapableProject[] = [];

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "millrace-capable-build-"));
});

afterAll(async () => {
  for (const project of projects) await project.dispose();
  await rm(cacheDir, { recursive: true, force: true });
});

async function build(
  steps: Readonly<Record<string, CapableStep>>,
  files?: Readonly<Record<string, string>>,
): Promise<CapableProject> {
  const project = await capableProject(steps, files, cacheDir);
  projects.push(project);
  return project;
}

/** The interfaces that a step imports by a capability. */
async function asked({ built }: CapableProject, step: string): Promise<readonly string[]> {
  const bytes = await built.functions[0]?.components[step]?.bytes();
  if (bytes === undefined) throw new Error(JSON.stringify(built.problems));
  const inspection = inspect(bytes);
  if ("code" in inspection) throw new Error(inspection.message);
  return inspection.imports.filter((name) => /^wasi:(http|keyvalue|config)\//.test(name));
}

const http = ["https://example.com"];
const fetching = 'export default async () => (await fetch("https://example.com")).status;';

describe("a step that is not granted what it names", () => {
  test.each<readonly [what: string, source: string, problem: object]>([
    [
      "calls fetch",
      `// fetch is named in a comment, and in a string\nconst text = "fetch(x)";\n${fetching}`,
      { message: expect.stringMatching(/^fetch takes the capability `http`.*capabilities\.http/), line: 3 },
    ],
    [
      "passes fetch on",
      "export default () => [1].map(fetch);",
      { message: expect.stringMatching(/`http`/), line: 1 },
    ],
    [
      "imports wasi:keyvalue",
      '\nimport { open } from "wasi:keyvalue/store@0.2.0-draft2";\nexport default () => open("a");',
      {
        message: expect.stringMatching(/^wasi:keyvalue\/store@0\.2\.0-draft2 takes the capability `kv`/),
        line: 2,
      },
    ],
    [
      "imports wasi:config",
      'import { get } from "wasi:config/store";\nexport default () => get("a");',
      { message: expect.stringMatching(/`config`/), line: 1 },
    ],
    [
      "imports node:fs",
      'import { readFileSync } from "node:fs";\nexport default () => readFileSync("/tmp/a");',
      { message: expect.stringMatching(/the capability `tmp`/), line: 1 },
    ],
  ])("is refused at build: it %s", async (_, source, problem) => {
    const { built } = await build({ only: { source } });
    expect(built.functions).toEqual([]);
    expect(built.problems).toMatchObject([
      { code: "ERR_BUILD_IMPORT", file: expect.stringMatching(/only\.js$/), ...problem },
    ]);
  });

  test.each([
    [
      "has a method of that name",
      "class A { fetch(x) { return x; } }\nexport default () => new A().fetch(1);",
    ],
    ["has a function of that name", "const fetch = (x) => x;\nexport default () => fetch(1);"],
    ["has it of an object", "export default ({ event }) => event.fetch?.(1) ?? 1;"],
    ["looks whether it is there", 'export default () => (typeof fetch === "function" ? 1 : 2);'],
  ])("is built when it only %s", async (_, source) => {
    const project = await build({ only: { source } });
    expect(project.built.problems).toEqual([]);
    expect(await asked(project, "only")).toEqual([]);
    const runner = project.on(createV8Engine);
    expect(await runner.output("only")).toBe(1);
    await runner.close();
  });

  test("is told when a package of it calls fetch", async () => {
    const project = await build(
      {
        only: {
          source:
            'import { load } from "loader";\nexport default () => load().catch((error) => error.message);',
        },
      },
      {
        "node_modules/loader/package.json": '{"name":"loader","type":"module","exports":"./index.js"}',
        "node_modules/loader/index.js": 'export const load = () => fetch("https://example.com");',
      },
    );
    expect(project.built.problems).toEqual([]);
    expect(await asked(project, "only")).toEqual([]);
    const runner = project.on(createV8Engine);
    expect(await runner.output("only")).toMatch(/was not granted `http`/);
    await runner.close();
  });
});

describe("a step that is granted capabilities", () => {
  test("imports what it uses and no more", async () => {
    const all = { http, kv: true, config: { a: "1" }, tmp: true };
    const project = await build({
      none: { source: "export default () => 1;", capabilities: all },
      web: { source: fetching, capabilities: all },
      kept: {
        source:
          'import { open } from "wasi:keyvalue/store@0.2.0-draft2";\nexport default () => open("default").exists("a");',
        capabilities: all,
      },
    });
    expect(project.built.problems).toEqual([]);
    expect(await asked(project, "none")).toEqual([]);
    const web = await asked(project, "web");
    expect(web.map((name) => name.replace(/@.*/, ""))).toEqual([
      "wasi:http/types",
      "wasi:http/outgoing-handler",
    ]);
    const kept = await asked(project, "kept");
    expect(kept.map((name) => name.replace(/@.*/, "")).toSorted()).toEqual([
      "wasi:keyvalue/atomics",
      "wasi:keyvalue/batch",
      "wasi:keyvalue/store",
    ]);
  }, 120_000);

  test("is built for itself where another one has the same file", async () => {
    const steps = {
      with: { path: "file://./same.js", capabilities: { http } },
      without: { path: "file://./same.js" },
    };
    const files = {
      "function.json": JSON.stringify({ id: "f", triggers: [{ event: "a/b" }], steps }),
      "same.js": "export default () => typeof fetch;",
    };
    // The second time all of it comes from the cache.
    for (const _ of [1, 2]) {
      const project = await build({}, files);
      expect(project.built.problems).toEqual([]);
      expect(await asked(project, "with")).toHaveLength(2);
      expect(await asked(project, "without")).toEqual([]);
    }
  }, 120_000);
});
