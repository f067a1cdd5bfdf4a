import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { findProject, loadProject } from "../../../host/build/project.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";

const fixtures: ProjectFixture[] = [];

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const fixture = await projectFolder(files);
  fixtures.push(fixture);
  return fixture.folder;
}

afterEach(async () => {
  await Promise.all(fixtures.splice(0).map((fixture) => fixture.dispose()));
});

const document = (id: string): string => functionText({ one: "one.ts" }, id);
const step = "export default () => 1;";

async function sourceOf(path: string, files: readonly string[]): Promise<string | undefined> {
  const folder = await folderOf({
    "function.json": functionText({ one: path }),
    ...Object.fromEntries(
      files.map((file) => [file, file.endsWith("package.json") ? '{"main":"lib/x.js"}' : step]),
    ),
  });
  const { functions, problems } = await loadProject(folder);
  expect(problems).toEqual([]);
  return functions[0]?.sources.get("one")?.file.slice(folder.length + 1);
}

describe("function documents", () => {
  test("are found anywhere below, but not in node_modules, dist and folders with a dot", async () => {
    const folder = await folderOf({
      "function.json": document("root"),
      "one.ts": step,
      "a/b/deep.function.json": document("deep"),
      "a/b/one.ts": step,
      "a/other.json": "not a function",
      "node_modules/x/function.json": document("package"),
      "dist/function.json": document("built"),
      ".hidden/function.json": document("hidden"),
    });
    const { functions, problems } = await loadProject(folder);
    expect(problems).toEqual([]);
    expect(functions.map(({ document: { id } }) => id)).toEqual(["deep", "root"]);
  });

  test("of one id are a problem that names both files", async () => {
    const folder = await folderOf({
      "a.function.json": functionText({ one: "one.ts" }, "same"),
      "b.function.json": functionText({ one: "one.ts" }, "same"),
      "one.ts": step,
    });
    const { functions, problems } = await loadProject(folder);
    expect(functions).toEqual([]);
    expect(problems).toEqual([
      {
        code: "ERR_FUNCTION_ID_TAKEN",
        message: `the function id "same" is taken by ${join(folder, "a.function.json")}`,
        file: join(folder, "b.function.json"),
        pointer: "/id",
        line: 2,
        column: 9,
      },
    ]);
  });

  test("all tell their problems at once", async () => {
    const folder = await folderOf({
      "a.function.json": "{",
      "b.function.json": functionText({ one: "nowhere.ts", two: "neither.ts" }, "b"),
      "c.function.json": functionText({ one: "one.ts" }, "c"),
      "one.ts": step,
      "events/x.json": "[",
    });
    const { functions, problems } = await loadProject(folder);
    expect(functions.map(({ document: { id } }) => id)).toEqual(["c"]);
    expect(problems.map(({ code, file }) => [code, file?.slice(folder.length + 1)])).toEqual([
      ["ERR_FUNCTION_JSON", "a.function.json"],
      ["ERR_FUNCTION_PATH_MISSING", "b.function.json"],
      ["ERR_FUNCTION_PATH_MISSING", "b.function.json"],
      ["ERR_SCHEMA_INVALID", "events/x.json"],
    ]);
  });

  test("are named as the user named the folder", async () => {
    const folder = await folderOf({ "sub/function.json": "{" });
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect((await loadProject(".")).problems[0]?.file).toBe("sub/function.json");
      expect((await loadProject("sub")).problems[0]?.file).toBe("sub/function.json");
    } finally {
      process.chdir(before);
    }
  });
});

describe("a step's path", () => {
  test.each([
    ["a file", "steps/one.ts", ["steps/one.ts"], "steps/one.ts"],
    ["a component", "steps/one.wasm", ["steps/one.wasm"], "steps/one.wasm"],
    ["a file without its extension", "steps/one", ["steps/one.js"], "steps/one.js"],
    ["TypeScript before JavaScript", "steps/one", ["steps/one.js", "steps/one.ts"], "steps/one.ts"],
    ["source before a component", "steps/one", ["steps/one.wasm", "steps/one.mjs"], "steps/one.mjs"],
    ["a folder's index", "steps/one", ["steps/one/index.mts"], "steps/one/index.mts"],
    ["a folder's file of the same name", "steps/one", ["steps/one/one.js"], "steps/one/one.js"],
    [
      "what a folder's package.json names",
      "steps/one",
      ["steps/one/package.json", "steps/one/index.ts", "steps/one/lib/x.js"],
      "steps/one/lib/x.js",
    ],
  ])("may lead to %s", async (_, path, files, found) => {
    expect(await sourceOf(path, files)).toBe(found);
  });

  test("that leads nowhere is told with its line and the nearest name", async () => {
    const folder = await folderOf({
      "function.json": functionText({ one: "steps/send-smss.ts" }),
      "steps/send-sms.ts": step,
    });
    expect((await loadProject(folder)).problems).toEqual([
      {
        code: "ERR_FUNCTION_PATH_MISSING",
        message: "there is no steps/send-smss.ts: steps has no send-smss.ts",
        suggestion: "file://./steps/send-sms.ts",
        file: join(folder, "function.json"),
        pointer: "/steps/one/path",
        line: 10,
        column: 15,
      },
    ]);
  });

  test("that leads nowhere in a folder that is not there names the nearest folder", async () => {
    const folder = await folderOf({
      "function.json": functionText({ one: "step/one.ts" }),
      "steps/one.ts": step,
    });
    expect((await loadProject(folder)).problems[0]?.suggestion).toBe("file://./steps/one.ts");
  });

  test("may not leave the project by a symbolic link", async () => {
    const outside = await mkdtemp(join(tmpdir(), "millrace-outside-"));
    try {
      await writeFile(join(outside, "secret.ts"), step);
      await mkdir(join(outside, "folder"));
      await writeFile(join(outside, "folder/index.ts"), step);
      const folder = await folderOf({
        "function.json": functionText({ file: "link.ts", folder: "folder" }),
      });
      await symlink(join(outside, "secret.ts"), join(folder, "link.ts"));
      await symlink(join(outside, "folder"), join(folder, "folder"));
      const { functions, problems } = await loadProject(folder);
      expect(functions).toEqual([]);
      expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual([
        ["ERR_FUNCTION_PATH_OUTSIDE", "/steps/file/path"],
        ["ERR_FUNCTION_PATH_OUTSIDE", "/steps/folder/path"],
      ]);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  test("may go through a symbolic link within the project", async () => {
    const folder = await folderOf({ "function.json": functionText({ one: "link.ts" }), "real.ts": step });
    await symlink(join(folder, "real.ts"), join(folder, "link.ts"));
    const { functions, problems } = await loadProject(folder);
    expect(problems).toEqual([]);
    expect(functions[0]?.sources.get("one")?.file).toBe(join(folder, "real.ts"));
  });

  test("may not name a program outside by a folder's package.json", async () => {
    const outside = await mkdtemp(join(tmpdir(), "millrace-outside-"));
    try {
      await writeFile(join(outside, "x.js"), step);
      const folder = await folderOf({
        "function.json": functionText({ one: "one" }),
        "one/package.json": JSON.stringify({ main: `../../${basename(outside)}/x.js` }),
      });
      const { problems } = await loadProject(folder);
      expect(problems.map(({ code }) => code)).toEqual(["ERR_FUNCTION_PATH_OUTSIDE"]);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  test("to a file of another kind is told", async () => {
    const folder = await folderOf({ "function.json": functionText({ one: "one.rb" }), "one.rb": "puts 1" });
    expect((await loadProject(folder)).problems[0]?.code).toBe("ERR_FUNCTION_PATH_KIND");
  });
});

describe("event schemas", () => {
  test("are read beside the documents and in the root, folders for slashes", async () => {
    const folder = await folderOf({
      "a/function.json": functionText({ one: "one.ts" }),
      "a/one.ts": step,
      "a/events/order/paid.json": '{"type":"object"}',
      "events/user/signed.up.json": '{"type":"object","required":["x"]}',
      "events/readme.md": "no schema",
      "b/events/not/read.json": "{}",
    });
    const { eventSchemas, problems } = await loadProject(folder);
    expect(problems).toEqual([]);
    expect(eventSchemas).toEqual({
      "user/signed.up": { type: "object", required: ["x"] },
      "order/paid": { type: "object" },
    });
  });

  test("of one event in two places, and those that are no schema, are problems", async () => {
    const folder = await folderOf({
      "a/function.json": functionText({ one: "one.ts" }),
      "a/one.ts": step,
      "a/events/x.json": "{}",
      "events/x.json": "{}",
      "events/y.json": '{"type":"strong"}',
      "events/z.json": '{\n  "type" "object"\n}',
    });
    const { problems } = await loadProject(folder);
    expect(problems.map(({ code, file, line }) => [code, file?.slice(folder.length + 1), line])).toEqual([
      ["ERR_SCHEMA_INVALID", "events/z.json", 2],
      ["ERR_SCHEMA_INVALID", "a/events/x.json", undefined],
      ["ERR_SCHEMA_INVALID", "events/y.json", undefined],
    ]);
    expect(problems[0]?.message).toBe('the schema is not JSON: expected ":", and found "\\""');
  });
});

describe("the project of a folder", () => {
  test("is the folder itself when a document is in it or below", async () => {
    const folder = await folderOf({ "function.json": "{}", "sub/a/function.json": "{}" });
    expect(await findProject(folder)).toBe(folder);
    expect(await findProject(join(folder, "sub"))).toBe(join(folder, "sub"));
  });

  test("is the nearest folder upwards with a document or a build", async () => {
    const folder = await folderOf({
      "function.json": "{}",
      "steps/one.ts": step,
      "b/.millrace/x": "",
      "b/c/y": "",
    });
    expect(await findProject(join(folder, "steps"))).toBe(folder);
    expect(await findProject(join(folder, "b/c"))).toBe(join(folder, "b"));
  });
});
