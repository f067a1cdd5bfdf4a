import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { millrace, temporaryFolder } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

test.each(["js", "ts"])("`init --lang %s` makes a project that builds, runs and is cached", async (lang) => {
  const cwd = await temporaryFolder();
  const made = await millrace(["init", "My shop", "--lang", lang, "--trigger", "order/placed"], { cwd });
  expect(made.code).toBe(0);
  expect(made.stdout).toContain("wrote  function.json\n");
  expect(made.stdout).toContain(`wrote  steps/greet.${lang}\n`);
  expect(made.stdout).toMatch(/Next:\n {2}cd "My shop"\n {2}millrace run My-shop\n {2}millrace dev\n$/);

  const project = join(cwd, "My shop");
  const built = await millrace(["build"], { cwd: project });
  expect(built.code).toBe(0);
  expect(built.stderr).toMatch(new RegExp(`^built +steps/greet\\.${lang} .*My-shop/greet$`, "m"));
  expect(built.stdout).toMatch(/^My-shop +[\da-f]{12} +greet, count +function\.json$/m);

  const again = await millrace(["build", "My shop", "--json"], { cwd });
  expect(again.stderr).toBe("");
  const { functions } = JSON.parse(again.stdout) as { functions: { id: string; components: object }[] };
  expect(functions).toMatchObject([{ id: "My-shop", file: "My shop/function.json" }]);
  expect(functions[0]?.components).toMatchObject({
    greet: expect.stringMatching(/^[\da-f]{64}$/),
  });
  expect((await millrace(["build"], { cwd: project })).stderr).toMatch(/^cached +steps\/greet\./m);

  const run = await millrace(["run", "My-shop"], { cwd: project });
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({
    status: "completed",
    outputs: { greet: { text: "Hello, Ada!" }, count: { letters: 11 } },
  });
});

test("`init` asks nothing without a terminal, and --name names the function", async () => {
  const cwd = await temporaryFolder();
  const { code, stdout } = await millrace(["init", "--name", "greeter", "--json"], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ folder: cwd, functionId: "greeter" });
  const document = JSON.parse(await readFile(join(cwd, "function.json"), "utf8")) as object;
  expect(document).toMatchObject({ id: "greeter", triggers: [{ event: "user/signed.up" }] });
});

test("`init` writes into a folder with files only when it is forced to, and no wrong event name", async () => {
  const cwd = await writeProject({ "function.json": "mine" });
  const { code, stderr } = await millrace(["init"], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain("ERR_SCAFFOLD_NOT_EMPTY");
  expect(await readFile(join(cwd, "function.json"), "utf8")).toBe("mine");
  expect((await millrace(["init", "--force"], { cwd })).code).toBe(0);
  expect(await readFile(join(cwd, "function.json"), "utf8")).toContain("user/signed.up");
  const wrong = await millrace(["init", "x", "--trigger", "a\u0001b"], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("ERR_EVENT_INVALID");
});

test("`build` prints every problem at its line and column, with what was meant, and exits with 2", async () => {
  const document = `{
  "id": "shop",
  "triggers": [{ "event": "a", "expresion": "true" }],
  "steps": {
    "one": { "path": "file://./on.js" },
    "two": { "path": "file://./two.js", "after": [{ "step": "oen" }] }
  }
}`;
  const cwd = await writeProject({ "function.json": document, "one.js": "export default () => 1;" });
  const { code, stdout, stderr } = await millrace(["build"], { cwd });
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^function\.json:3:\d+: ERR_FUNCTION_SCHEMA: .*"expresion"/m);
  expect(stderr).toMatch(/^ {2}did you mean: expression$/m);
  expect(stderr).toMatch(/^function\.json:6:\d+: ERR_FUNCTION_STEP_UNKNOWN: /m);
  expect(stderr).toMatch(/^ {2}did you mean: one$/m);
  expect(stderr).not.toContain("    at ");

  const inJson = await millrace(["build", "--json"], { cwd });
  expect(inJson.code).toBe(2);
  expect(inJson.stderr).toBe("");
  expect(JSON.parse(inJson.stdout)).toMatchObject({
    error: {
      code: "ERR_PROJECT_INVALID",
      problems: expect.arrayContaining([
        expect.objectContaining({ file: "function.json", line: 6, suggestion: "one" }),
      ]),
    },
  });
});

test("`build` names the line of a step that can't be read", async () => {
  const cwd = await writeProject({
    "function.json": { id: "shop", triggers: [{ event: "a" }], steps: { one: { path: "file://./one.ts" } } },
    "one.ts": "export default () => {\n  return 1 +;\n};\n",
  });
  const { code, stderr } = await millrace(["build"], { cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^one\.ts:2:\d+: ERR_BUILD_SYNTAX: /m);
  expect(stderr).toMatch(/^failed +one\.ts/m);
});

test("`build` works from within a project, and names files from where it was called", async () => {
  const root = await writeProject(functionFiles({ id: "deep", steps: { only: {} } }));
  const { code, stdout } = await millrace(["build"], { cwd: join(root, "deep") });
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^deep .* only +function\.json$/m)]);
  await writeFile(join(root, "deep/function.json"), "[]");
  expect((await millrace(["build", "deep"], { cwd: root })).stderr).toMatch(/^deep\/function\.json:1:1: /);
});

test("a folder that is none, or holds no function, is refused with what to do", async () => {
  const cwd = await writeProject({ file: "" });
  for (const command of ["build", "dev"]) {
    const absent = await millrace([command, "absent"], { cwd });
    expect([absent.code, absent.stderr]).toEqual([
      2,
      expect.stringContaining("absent can't be read: there is no such folder."),
    ]);
    expect((await millrace([command, "file"], { cwd })).stderr).toContain(
      "file can't be read: it is not a folder.",
    );
    const empty = await millrace([command], { cwd });
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining("ERR_PROJECT_EMPTY")]);
    expect(empty.stderr).toContain("millrace init");
  }
});

test("`doctor` tells which toolchains `build` finds, and the lines that install those it does not", async () => {
  const step = { path: "file://./only.zig" };
  const cwd = await writeProject({
    "f/function.json": JSON.stringify({ id: "f", triggers: [{ event: "e" }], steps: { only: step } }),
    "f/only.zig": "pub fn main() void {}\n",
  });
  const bin = await temporaryFolder();
  const said = { go: "go version go1.30.1 linux/amd64", "componentize-py": "componentize-py 0.13.0" };
  for (const [name, text] of Object.entries(said))
    await writeFile(join(bin, name), `#!/bin/sh\necho "${text}"\n`, { mode: 0o755 });
  const { stdout } = await millrace(["doctor", "--json"], { cwd, env: { PATH: bin } });
  const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
  const line = /^apt-get install -y |^brew install /;
  const install = { debian: expect.stringMatching(line), macos: expect.stringMatching(line) };
  const next = expect.stringMatching(line);
  const languages = ["rust", "go", "c", "python", "zig"];
  expect(checks.filter(({ name }) => languages.includes(name))).toEqual([
    { name: "rust", status: "absent", detail: "Rust: cargo and rustc are not on PATH", next, install },
    { name: "go", status: "ok", detail: "Go: go 1.30.1" },
    {
      name: "c",
      status: "absent",
      detail: expect.stringMatching(/^C or C\+\+: no C compiler/),
      next,
      install,
    },
    {
      name: "python",
      status: "absent",
      detail: "Python: componentize-py 0.13.0 is older than 0.25, which steps need",
      next,
      install,
    },
    {
      name: "zig",
      status: "warning",
      detail: "the project's steps in Zig can't be built: zig is not on PATH",
      next,
      install,
    },
  ]);
  // It makes the guest of JavaScript steps each time.
}, 180_000);

test("`doctor` finds all that Millrace needs, and a project that is broken", async () => {
  const cwd = await writeProject(functionFiles({ id: "sound", steps: { only: {} } }));
  const { code, stdout, stderr } = await millrace(["doctor"], { cwd, env: { NO_COLOR: "1" } });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  for (const name of ["node", "store", "engine", "builder", "project", "port"]) {
    expect(stdout).toMatch(new RegExp(`^[✓!] ${name} `, "m"));
  }
  for (const name of ["rust", "go", "c", "python", "zig"]) {
    expect(stdout).toMatch(new RegExp(`^[✓·] ${name} `, "m"));
  }
  expect(stdout).toContain(". with sound");
  expect(stdout).not.toContain("\u001b");

  await writeFile(join(cwd, "sound/function.json"), '{\n  "id": 7\n}');
  const broken = await millrace(["doctor", "--json"], { cwd });
  expect(broken.code).toBe(1);
  const { ok, checks } = JSON.parse(broken.stdout) as { ok: boolean; checks: { status: string }[] };
  expect(ok).toBe(false);
  const failed = checks.filter(({ status }) => status === "failed");
  expect(failed).toEqual([
    {
      name: "project",
      status: "failed",
      detail: expect.stringMatching(/^sound\/function\.json:\d+:\d+: ERR_FUNCTION_SCHEMA: /),
      next: "`millrace build` lists all problems.",
    },
  ]);
}, 180_000);
