import { execFile } from "node:child_process";
import { copyFile, cp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildProject, type BuildOptions, type BuildProgress } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { programFixture } from "../cli/program-fixture.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";

let fixture: ProjectFixture;
/** The cache with the components that all steps share, and no step. */
let warm: ProjectFixture;

beforeAll(async () => {
  warm = await projectFolder({
    "function.json": functionText({ one: "one.js", two: "two.js" }),
    "one.js": "export default () => 1;",
    "two.js": "console.log(1);",
  });
  const { problems } = await buildProject(await loadProject(warm.folder));
  expect(problems).toEqual([]);
  await rm(join(warm.folder, ".millrace/cache/build/steps"), { recursive: true });
});

afterAll(() => warm.dispose());

beforeEach(async () => {
  fixture = await projectFolder({
    "function.json": functionText({ one: "steps/one.ts", again: "steps/one.ts", two: "steps/two.js" }),
    "steps/one.ts": 'import { text } from "./text.ts";\nexport default () => text;',
    "steps/text.ts": "export const text: string = 'first';",
    "steps/two.js": "console.log(2);",
  });
  await cp(join(warm.folder, ".millrace"), join(fixture.folder, ".millrace"), { recursive: true });
});

afterEach(() => fixture.dispose());

async function build(options: BuildOptions = {}) {
  const progress: BuildProgress[] = [];
  const project = await loadProject(fixture.folder);
  const built = await buildProject(project, { ...options, onProgress: (one) => progress.push(one) });
  const states = progress
    .filter(({ state }) => state !== "started")
    .map(({ file, state }) => [file.slice(fixture.folder.length + 1), state] as const);
  return {
    ...built,
    progress,
    states: Object.fromEntries(states),
    digests: Object.fromEntries(
      built.functions.flatMap(({ components }) =>
        Object.entries(components).map(([step, { sha256 }]) => [step, sha256] as const),
      ),
    ),
  };
}

const cacheFolder = (): string => join(fixture.folder, ".millrace/cache/build");

describe("a build", () => {
  test("makes one component of each file and tells of its progress", async () => {
    const { functions, problems, progress, states, digests } = await build();
    expect(problems).toEqual([]);
    expect(states).toEqual({ "steps/one.ts": "built", "steps/two.js": "built" });
    expect(digests["again"]).toBe(digests["one"]);
    const started = progress.find(({ state, file }) => state === "started" && file.endsWith("one.ts"));
    expect(started?.steps).toEqual([
      { functionId: "f", stepId: "one" },
      { functionId: "f", stepId: "again" },
    ]);
    const ended = progress.find(({ state, file }) => state === "built" && file.endsWith("one.ts"));
    const component = functions[0]?.components["one"];
    expect(ended).toMatchObject({ ms: expect.any(Number) as number, size: component?.size });
    const bytes = await component?.bytes();
    expect(bytes?.length).toBe(component?.size);
    expect(Buffer.from(bytes ?? []).toString("latin1", 0, 4)).toBe("\0asm");
  });

  test("takes what has not changed from the cache, without a bundler", async () => {
    const first = await build();
    const script = `
      const { loadProject } = await import(${JSON.stringify(join(import.meta.dirname, "../../../host/build/project.ts"))});
      const { buildProject } = await import(${JSON.stringify(join(import.meta.dirname, "../../../host/build/build.ts"))});
      const { functions, problems } = await buildProject(await loadProject(${JSON.stringify(fixture.folder)}));
      console.log(JSON.stringify({ problems, one: functions[0]?.components.one.sha256 }));`;
    // A bundler that was started would fail.
    const env = { ...process.env, ESBUILD_BINARY_PATH: "/nowhere/esbuild" };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env,
    });
    expect(JSON.parse(stdout)).toEqual({ problems: [], one: first.digests["one"] });
  });

  test("makes anew what has changed, also in what it imports", async () => {
    const first = await build();
    await fixture.write({ "steps/text.ts": "export const text: string = 'other';" });
    const second = await build();
    expect(second.states).toEqual({ "steps/one.ts": "built", "steps/two.js": "cached" });
    expect(second.digests["one"]).not.toBe(first.digests["one"]);
    expect(second.digests["two"]).toBe(first.digests["two"]);
  });

  test("comes back to an earlier component when its source does", async () => {
    const first = await build();
    await fixture.write({ "steps/two.js": "console.log(3);" });
    expect((await build()).states["steps/two.js"]).toBe("built");
    await fixture.write({ "steps/two.js": "// Now with a comment.\nconsole.log(2);" });
    await fixture.write({ "steps/two.js": "console.log(2);" });
    const third = await build();
    expect(third.states["steps/two.js"]).toBe("cached");
    expect(third.digests).toEqual(first.digests);
  });

  test("does not take a touched file for a changed one", async () => {
    const first = await build();
    await utimes(join(fixture.folder, "steps/text.ts"), 1, 1);
    expect((await build()).digests).toEqual(first.digests);
  });

  test("sees a change that leaves the size as it was", async () => {
    await build();
    await fixture.write({ "steps/text.ts": "export const text: string = 'FIRST';" });
    expect((await build()).states["steps/one.ts"]).toBe("built");
  });

  test("sees a new file that an import now finds first", async () => {
    await fixture.write({ "steps/one.ts": 'import { text } from "./text";\nexport default () => text;' });
    const first = await build();
    await fixture.write({ "steps/text.tsx": "export const text: string = 'shadow';" });
    const second = await build();
    expect(second.states["steps/one.ts"]).toBe("built");
    expect(second.digests["one"]).not.toBe(first.digests["one"]);
  });

  test.each([
    ["cut off", (file: string) => truncate(file, 1000)],
    ["overwritten", (file: string) => writeFile(file, "nonsense")],
  ])("makes anew a component whose file was %s", async (_, damage) => {
    await build();
    const components = join(cacheFolder(), "components");
    const names = (await readdir(components)).filter((name) => name.endsWith(".wasm"));
    for (const name of names) await damage(join(components, name));
    expect((await build()).states).toEqual({ "steps/one.ts": "built", "steps/two.js": "built" });
    expect((await build()).states).toEqual({ "steps/one.ts": "cached", "steps/two.js": "cached" });
  });

  test("leaves nothing half-made in the cache, which git ignores", async () => {
    await build();
    const names = await readdir(join(fixture.folder, ".millrace"), { recursive: true });
    expect(names.filter((name) => /\.(tmp|js)$/.test(name))).toEqual([]);
    expect(await readFile(join(fixture.folder, ".millrace/.gitignore"), "utf8")).toBe("*\n");
  });

  test("keeps its cache where it is told to", async () => {
    await build({ cacheDir: join(fixture.folder, "elsewhere") });
    expect(await readdir(join(cacheFolder()))).not.toContain("steps");
    expect((await build({ cacheDir: join(fixture.folder, "elsewhere") })).states["steps/two.js"]).toBe(
      "cached",
    );
  });

  test("takes a .wasm file as it is, and refuses to give out what it has become since", async () => {
    await fixture.write({
      "function.json": functionText({ one: "x.wasm" }),
      "x.wasm": programFixture({ stdout: "1" }),
    });
    const { functions, problems } = await build();
    expect(problems).toEqual([]);
    const component = functions[0]?.components["one"];
    expect(await component?.bytes()).toEqual(programFixture({ stdout: "1" }));
    await copyFile(join(fixture.folder, "steps/two.js"), join(fixture.folder, "x.wasm"));
    await expect(component?.bytes()).rejects.toMatchObject({ code: "ERR_BUILD_CHANGED" });
  });

  test.each([
    ["text", Buffer.from("no wasm at all"), "ERR_COMPONENT_INVALID"],
    ["an empty component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0), "ERR_COMPONENT_EXPORT"],
    [
      "a program that wants more than it was granted",
      Buffer.from(
        programFixture({}).toString("latin1").replaceAll("wasi_snapshot_preview1", "wasi_snapshot_preview9"),
        "latin1",
      ),
      "ERR_COMPONENT_IMPORT",
    ],
  ])("refuses a .wasm file that is %s", async (_, bytes, code) => {
    await fixture.write({ "function.json": functionText({ one: "x.wasm" }), "x.wasm": bytes });
    const { functions, problems, states } = await build();
    expect(functions).toEqual([]);
    expect(problems).toMatchObject([
      {
        code,
        file: expect.stringMatching(/function\.json$/),
        pointer: "/steps/one/path",
        line: 10,
        message: expect.stringMatching(/^step one of f can't run .*x\.wasm: /),
      },
    ]);
    expect(Object.values(states)).toContain("failed");
  });

  test("ends when it is aborted, and throws the reason", async () => {
    await fixture.write({ "steps/one.ts": "for (;;);\nexport default () => 1;" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const project = await loadProject(fixture.folder);
    const building = buildProject(project, {
      signal: controller.signal,
      // The other file is done: what is left never ends by itself.
      onProgress: ({ state }) => void (state === "built" && controller.abort(reason)),
    });
    await expect(building).rejects.toBe(reason);
  });

  test("gives the same component for the same source, wherever it is made", async () => {
    const first = await build();
    const other = await projectFolder({
      "function.json": await readFile(join(fixture.folder, "function.json"), "utf8"),
      "steps/one.ts": await readFile(join(fixture.folder, "steps/one.ts"), "utf8"),
      "steps/text.ts": await readFile(join(fixture.folder, "steps/text.ts"), "utf8"),
      "steps/two.js": await readFile(join(fixture.folder, "steps/two.js"), "utf8"),
    });
    try {
      await cp(join(warm.folder, ".millrace"), join(other.folder, ".millrace"), { recursive: true });
      const { functions } = await buildProject(await loadProject(other.folder));
      expect(functions[0]?.components["one"]?.sha256).toBe(first.digests["one"]);
      expect(functions[0]?.components["two"]?.sha256).toBe(first.digests["two"]);
    } finally {
      await other.dispose();
    }
  });
});

describe("a step that can't be built", () => {
  const cases: readonly (readonly [
    what: string,
    files: Readonly<Record<string, string>>,
    problems: readonly object[],
  ])[] = [
    [
      "has a syntax error",
      { "s.ts": "export default () => {\n  const x: number = ;\n};" },
      [{ code: "ERR_BUILD_SYNTAX", message: 'unexpected ";"', file: "s.ts", line: 2, column: 21 }],
    ],
    [
      "has a syntax error in what it imports",
      { "s.ts": 'import "./t.js";\nexport default () => 1;', "t.js": "let 1;" },
      [{ code: "ERR_BUILD_SYNTAX", file: "t.js", line: 1, column: 5 }],
    ],
    [
      "imports files and packages that are not there",
      {
        "s.ts": 'import { a } from "./helpr.ts";\nimport b from "lodahs";\nexport default () => a + b;',
        "helper.ts": "export const a = 1;",
        "node_modules/lodash/index.js": "",
      },
      [
        {
          code: "ERR_BUILD_IMPORT",
          message: 'the import "./helpr.ts" leads to no file',
          suggestion: "./helper.ts",
          file: "s.ts",
          line: 1,
          column: 19,
        },
        {
          code: "ERR_BUILD_IMPORT",
          message: 'the package "lodahs" is not installed; npm install lodahs',
          suggestion: "lodash",
          file: "s.ts",
          line: 2,
          column: 15,
        },
      ],
    ],
    [
      "imports modules of Node",
      {
        "s.ts":
          'import { createHash } from "node:crypto";\nimport "path";\nexport default () => createHash("md5");',
      },
      [
        {
          code: "ERR_BUILD_IMPORT",
          message: expect.stringMatching(/^node:crypto is a module of Node.js.*crypto.randomUUID/) as string,
          file: "s.ts",
          line: 1,
          column: 28,
        },
        { code: "ERR_BUILD_IMPORT", message: expect.stringMatching(/^node:path /) as string, line: 2 },
      ],
    ],
    [
      "is a program that wants files",
      { "s.js": 'import { readFile } from "node:fs/promises";\nconsole.log(readFile);' },
      [{ code: "ERR_BUILD_IMPORT", message: expect.stringMatching(/with the capability `tmp`/) as string }],
    ],
    [
      "is a program that wants more of node:fs than stdin and stdout",
      { "s.js": 'import { createReadStream } from "fs";\nconsole.log(createReadStream);' },
      [
        {
          code: "ERR_BUILD_IMPORT",
          message: expect.stringMatching(/`createReadStream`.*readFileSync\(0\)/) as string,
        },
      ],
    ],
    [
      "imports from a URL, or from WASI",
      { "s.ts": 'import "https://example.com/x.js";\nimport "wasi:http/types";\nexport default () => 1;' },
      [
        { code: "ERR_BUILD_IMPORT", message: expect.stringMatching(/is a URL/) as string, line: 1 },
        {
          code: "ERR_BUILD_IMPORT",
          message: expect.stringMatching(/is not in the step's world/) as string,
          line: 2,
        },
      ],
    ],
    [
      "is empty",
      { "s.ts": "// Nothing but\n/* comments */ import type { X } from './x.ts';" },
      [{ code: "ERR_BUILD_EMPTY", message: "the step's file holds no program", file: "s.ts" }],
    ],
    [
      "exports something else",
      { "s.ts": "export async function main() {}" },
      [
        {
          code: "ERR_BUILD_EXPORT",
          message: "the step exports `main`, and neither a default function nor `handler`",
        },
      ],
    ],
    [
      "exports no function",
      { "s.ts": "export default { a: 1 };" },
      [{ code: "ERR_BUILD_EXPORT", message: "the default export must be a function, and is { a: 1 }" }],
    ],
    [
      "exports a handler without run",
      { "s.ts": "export const handler = () => '1';" },
      [{ code: "ERR_BUILD_EXPORT", message: "the export `handler` must be an object with a function `run`" }],
    ],
    [
      "throws when its module is loaded",
      {
        "s.ts": 'import { x } from "./t.ts";\nexport default () => x;',
        "t.ts": "interface T { y: 1 }\n\nexport const x = (undefined as unknown as T).y;",
      },
      [
        {
          code: "ERR_BUILD_EVALUATION",
          message:
            "the step's module throws when it is loaded: TypeError: cannot read property 'y' of undefined",
          file: "t.ts",
          line: 3,
        },
      ],
    ],
    [
      "takes all memory while its module is loaded",
      {
        "s.ts":
          "const all: string[] = [];\nfor (let n = 0; ; n++) all.push(`${n}`.repeat(1e6));\nexport default () => all;",
      },
      [{ code: "ERR_BUILD_EVALUATION", message: expect.stringMatching(/out of memory/) as string }],
    ],
    [
      "recurses without end while its module is loaded",
      { "s.ts": "const f = (): number => f() + 1;\nexport default (x = f()) => x;\nf();" },
      [{ code: "ERR_BUILD_EVALUATION", message: expect.stringMatching(/endless recursion/) as string }],
    ],
    [
      "needs a package that needs Node",
      {
        "s.ts": 'import "needy";\nexport default () => 1;',
        "node_modules/needy/index.js": 'require("child_process").spawn("x");',
      },
      [
        {
          code: "ERR_BUILD_EVALUATION",
          message: expect.stringMatching(/node:child_process.*starts no processes/) as string,
        },
      ],
    ],
  ];

  test.each(cases)("because it %s", async (_, files, expected) => {
    const [first = ""] = Object.keys(files);
    await fixture.write({ "function.json": functionText({ s: first }), ...files });
    const { functions, problems } = await build();
    expect(functions).toEqual([]);
    const relative = problems.map(({ file, ...rest }) => ({
      ...rest,
      file: file?.slice(fixture.folder.length + 1),
    }));
    expect(relative).toMatchObject(expected);
    expect(relative.length).toBe(expected.length);
  });

  test("because its module never ends loading", async () => {
    await fixture.write({
      "function.json": functionText({ s: "s.ts" }),
      "s.ts": "for (;;);\nexport default () => 1;",
    });
    const { problems } = await build({ timeoutMs: 3_000 });
    expect(problems).toMatchObject([
      { code: "ERR_BUILD_EVALUATION", message: expect.stringMatching(/3 s/) as string },
    ]);
  });

  test("does not keep the others from being built", async () => {
    await fixture.write({
      "bad.function.json": functionText({ s: "s.ts" }, "bad"),
      "s.ts": "export default (",
    });
    const { functions, problems, states } = await build();
    expect(functions.map(({ document }) => document.id)).toEqual(["f"]);
    expect(problems.length).toBe(1);
    expect(states).toMatchObject({ "s.ts": "failed", "steps/one.ts": "built" });
  });
});
