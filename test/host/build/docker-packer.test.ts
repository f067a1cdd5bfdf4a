import { chmod, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { extract, type Header } from "tar-stream";
import { afterEach, describe, expect, test } from "vitest";
import { buildProject } from "../../../host/build/build.ts";
import { createIgnore } from "../../../host/build/docker-ignore.ts";
import { loadProject } from "../../../host/build/project.ts";
import { projectFolder, type ProjectFixture } from "./project-fixture.ts";

const fixtures: ProjectFixture[] = [];
afterEach(async () => {
  await Promise.all(fixtures.splice(0).map((fixture) => fixture.dispose()));
});

/** A project of one docker step at `steps/one` with these files. */
async function projectOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  { path = "file://./steps/one", build }: { path?: string; build?: object } = {},
): Promise<string> {
  const runtime = { type: "docker", ...(build && { build }) };
  const document = { id: "f", triggers: [{ event: "a" }], steps: { one: { path, runtime } } };
  const inside = Object.entries(files).map(([name, content]) => [`steps/one/${name}`, content] as const);
  const fixture = await projectFolder({
    "function.json": JSON.stringify(document),
    ...Object.fromEntries(inside),
  });
  fixtures.push(fixture);
  return fixture.folder;
}

async function packed(folder: string) {
  const project = await loadProject(folder);
  const { functions, problems } = await buildProject(project);
  return { problems: [...project.problems, ...problems], artifact: functions[0]?.components["one"] };
}

/** What is in the archive of the step: its headers, and each file's text. */
async function contents(folder: string) {
  const { problems, artifact } = await packed(folder);
  expect(problems).toEqual([]);
  const headers: Header[] = [];
  const texts: Record<string, string> = {};
  const archive = Readable.from([await artifact?.bytes()]).pipe(extract());
  for await (const entry of archive) {
    headers.push(entry.header);
    texts[entry.header.name] = await text(entry);
  }
  return { sha256: artifact?.sha256, headers, texts };
}

const files = { Dockerfile: "FROM scratch\n", "b/run.sh": "echo 1", "a.txt": "a" };

describe("the folder of a docker step", () => {
  test("is packed with its Dockerfile, sorted, and with what its files may do", async () => {
    const folder = await projectOf(files);
    await chmod(join(folder, "steps/one/b/run.sh"), 0o755);
    await symlink("../nowhere", join(folder, "steps/one/link"));
    const { headers, texts } = await contents(folder);
    expect(headers.map(({ name, mode, type, linkname }) => [name, mode, type, linkname])).toEqual([
      ["Dockerfile", 0o644, "file", null],
      ["a.txt", 0o644, "file", null],
      ["b/", 0o755, "directory", null],
      ["b/run.sh", 0o755, "file", null],
      ["link", 0o777, "symlink", "../nowhere"],
    ]);
    expect(texts["b/run.sh"]).toBe("echo 1");
  });

  test("gives the same digest wherever and whenever it is packed, and another one when a file differs", async () => {
    const [one, other] = [await projectOf(files), await projectOf(files)];
    const changed = await projectOf({ ...files, "a.txt": "b" });
    const digest = (await contents(one)).sha256;
    expect((await contents(other)).sha256).toBe(digest);
    expect((await contents(changed)).sha256).not.toBe(digest);
  });

  test("leaves out what .dockerignore names, but neither that file nor the Dockerfile", async () => {
    const folder = await projectOf({
      ...files,
      ".dockerignore": "# all\n**\n!a.txt\n",
      "node_modules/x/index.js": "",
    });
    expect(Object.keys((await contents(folder)).texts)).toEqual([".dockerignore", "Dockerfile", "a.txt"]);
  });

  test("may have its Dockerfile under another name", async () => {
    const folder = await projectOf(
      { "docker/prod": "FROM scratch", ".dockerignore": "docker" },
      { build: { dockerfile: "docker/prod" } },
    );
    expect((await contents(folder)).texts["docker/prod"]).toBe("FROM scratch");
  });

  test.each([
    [{ "main.js": "" }, {}, "PATH_KIND", "the folder steps/one has no Dockerfile"],
    [{}, {}, "PATH_MISSING", "there is no steps/one: the project has no steps"],
    [
      files,
      { path: "file://./steps/one/a.txt" },
      "PATH_KIND",
      "steps/one/a.txt is no folder with a Dockerfile",
    ],
    [files, { path: "file://./steps/two" }, "PATH_MISSING", "there is no steps/two: steps has no two"],
    [
      files,
      { build: { dockerfile: "../../function.json" } },
      "PATH_OUTSIDE",
      "steps/one has its ../../function.json outside of it",
    ],
  ])("that is none is told: %#", async (inside, options, code, message) => {
    const { problems } = await packed(await projectOf(inside, options));
    expect(problems).toMatchObject([{ code: `ERR_FUNCTION_${code}`, message, pointer: "/steps/one/path" }]);
  });

  test("is suggested where the path leads to its Dockerfile", async () => {
    const { problems } = await packed(await projectOf(files, { path: "file://./steps/one/Dockerfile" }));
    expect(problems).toMatchObject([{ suggestion: "file://./steps/one" }]);
  });

  test("that is too large is refused before it is read", async () => {
    const folder = await projectOf({ ...files, large: new Uint8Array(33 * 1024 * 1024) });
    const { problems, artifact } = await packed(folder);
    expect(problems).toMatchObject([
      { code: "ERR_BUILD_CONTEXT", message: "the folder has more than 32 MiB without what is ignored" },
    ]);
    expect(artifact).toBeUndefined();
  });

  test("that changes after it was packed is not stored as what it was", async () => {
    const folder = await projectOf(files);
    const { artifact } = await packed(folder);
    await fixtures.at(-1)?.write({ "steps/one/a.txt": "changed" });
    await expect(artifact?.bytes()).rejects.toMatchObject({ code: "ERR_BUILD_CHANGED" });
  });
});

describe("a .dockerignore", () => {
  test.each([
    ["node_modules", ["node_modules", "node_modules/a/b"], ["a/node_modules", "node_modules2"]],
    ["**/node_modules", ["node_modules/a", "a/b/node_modules/c"], ["anode_modules"]],
    ["*.md", ["README.md"], ["docs/README.md", "README.mdx"]],
    ["*/temp*", ["a/temporary.txt", "a/temp/b"], ["temp", "a/b/temp"]],
    ["temp?", ["tempa"], ["temp", "tempab"]],
    ["/a/./b/", ["a/b", "a/b/c"], ["a/c", "b"]],
    ["a/**/z", ["a/z", "a/b/z", "a/b/c/z/y"], ["a", "b/a/z"]],
    ["[a-c].txt", ["b.txt"], ["d.txt", "bb.txt"]],
    ["*.md\n!README.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]],
    ["docs\n!docs/kept", ["docs/a", "docs"], ["docs/kept", "docs/kept/x"]],
    ["# a comment\n\n  a.txt  ", ["a.txt"], ["# a comment"]],
    ["a.b+(c)", ["a.b+(c)"], ["axb+(c)", "a.bb(c)"]],
    ["\\*", ["*"], ["a"]],
    ["[z-a]", [], ["a", "[z-a]"]],
  ])("with %j", (written, ignored, kept) => {
    const ignore = createIgnore(written);
    expect(ignored.filter((path) => !ignore.file(path))).toEqual([]);
    expect(kept.filter((path) => ignore.file(path))).toEqual([]);
  });

  test("spares looking into folders that nothing brings back", () => {
    expect(createIgnore("a").wholeFolder("a")).toBe(true);
    expect(createIgnore("a\n!a/b").wholeFolder("a")).toBe(false);
  });
});
