import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadProject } from "../../../host/build/project.ts";
import { scaffold } from "../../../host/build/scaffold.ts";
import { type StarterName, starters } from "../../../host/build/templates/starters.ts";
import { canBuild } from "./find-toolchains.ts";
import { startProject } from "./project-host.ts";
import { projectFolder, type ProjectFixture } from "./project-fixture.ts";

let fixture: ProjectFixture;

beforeEach(async () => {
  fixture = await projectFolder();
});

afterEach(() => fixture.dispose());

describe("a new project", () => {
  test.each(["js", "ts"] as const)("in %s runs at once", async (language) => {
    const folder = join(fixture.folder, "new");
    const { files, functionId } = await scaffold(folder, {
      language,
      trigger: "user/signed.up",
      name: "My App!",
    });
    expect(functionId).toBe("My-App");
    expect(files).toContain(`steps/greet.${language}`);
    expect(files).toContain("events/user/signed.up.json");
    const written = await readdir(folder, { recursive: true });
    for (const file of files) expect(written).toContain(file);

    const project = await loadProject(folder);
    expect(project.problems).toEqual([]);
    const host = await startProject(project, join(fixture.folder, "cache"));
    try {
      const event = JSON.parse(await readFile(join(folder, "event.json"), "utf8")) as unknown;
      expect(await host.outputs(event)).toEqual({ greet: { text: "Hello, Ada!" }, count: { letters: 11 } });
    } finally {
      await host.close();
    }
  });

  const languageOf = (name: StarterName) => (name === "js" || name === "ts" ? "javascript" : name);
  const made = starters.filter((name) => canBuild(languageOf(name)));
  test.each([
    ...made.map((name) => [name, "plain"] as const),
    ...made.map((name) => [name, "typed"] as const),
  ])(
    "in %s, %s, builds and runs",
    async (language, kind) => {
      const folder = join(fixture.folder, "new");
      const typed = kind === "typed";
      await scaffold(folder, { language, typed, trigger: "user/signed.up", name: "x" });
      const project = await loadProject(folder);
      expect(project.problems).toEqual([]);
      const host = await startProject(project, join(fixture.folder, "cache"), "v8");
      try {
        const event = JSON.parse(await readFile(join(folder, "event.json"), "utf8")) as object;
        const run = await host.run(event);
        const outputs = run.steps.map(({ id, output }) => [id, output]);
        expect(outputs).toEqual([
          ["greet", { text: "Hello, Ada!" }],
          ["count", { letters: 11 }],
        ]);
      } finally {
        await host.close();
      }
    },
    600_000,
  );

  test.each([
    ["c", true, true],
    ["go", true, true],
    ["zig", true, true],
    ["rust", true, false],
    ["go", false, false],
  ] as const)(
    "in %s, typed: %j, names what makes components of modules: %j",
    async (language, typed, named) => {
      await scaffold(fixture.folder, { language, typed, trigger: "a/b", name: "x" });
      const text = await readFile(join(fixture.folder, "package.json"), "utf8");
      expect(text.includes('"@bytecodealliance/jco-transpile": "^')).toBe(named);
    },
  );

  test("is written over nothing without being told to", async () => {
    await writeFile(join(fixture.folder, "mine.txt"), "mine");
    const options = { language: "js", trigger: "a/b", name: "x" } as const;
    await expect(scaffold(fixture.folder, options)).rejects.toMatchObject({
      code: "ERR_SCAFFOLD_NOT_EMPTY",
      message: expect.stringContaining("mine.txt") as string,
    });
    expect(await readdir(fixture.folder)).toEqual(["mine.txt"]);
    await scaffold(fixture.folder, { ...options, force: true });
    expect(await readdir(fixture.folder)).toContain("function.json");
  });

  test("may be begun in a new repository", async () => {
    await mkdir(join(fixture.folder, ".git"));
    await scaffold(fixture.folder, { language: "js", trigger: "a/b", name: "x" });
    expect(await readdir(fixture.folder)).toContain("function.json");
  });

  test.each(["../../etc/x", "a//b", "/abs", "a b", "", "c:d", "a/.b"])(
    "is not made for the trigger %j",
    async (trigger) => {
      await expect(scaffold(fixture.folder, { language: "js", trigger, name: "x" })).rejects.toMatchObject({
        code: "ERR_EVENT_INVALID",
      });
      expect(await readdir(fixture.folder)).toEqual([]);
    },
  );

  test.each([
    ["hello", "hello"],
    ["@scope/My package", "scope-My-package"],
    ["é!", "e"],
    ["---", "hello"],
  ])("of the name %j has the function id %j", async (name, id) => {
    const { functionId } = await scaffold(fixture.folder, { language: "js", trigger: "a/b", name });
    expect(functionId).toBe(id);
    expect((await loadProject(fixture.folder)).problems).toEqual([]);
  });
});
