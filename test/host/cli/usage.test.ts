import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFolder } from "../build/project-fixture.ts";
import { readEvents } from "../../../host/cli/event-source.ts";
import { cliErrors } from "../../../host/cli/errors.ts";
import { hostErrors } from "../../../host/errors.ts";
import { runtimeErrors } from "../../../runtime/errors.ts";
import { freePort } from "../../free-port.ts";
import { millrace, temporaryFolder } from "./cli-fixture.ts";

const commands = [
  "init",
  "build",
  "inspect",
  "dev",
  "start",
  "push",
  "run",
  "send",
  "runs",
  "functions",
  "events",
  "dead-letters",
  "doctor",
];
const stackLine = /^\s+at .+:\d+:\d+\)?$/m;
// eslint-disable-next-line no-control-regex -- what is looked for.
const escape = /\u001b/;

test("without a command it prints its help on stderr and says that the command line was wrong", async () => {
  const { code, stdout, stderr } = await millrace([]);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^Usage: millrace/);
});

test("the help names every command, every exit code and an example", async () => {
  const { code, stdout } = await millrace(["--help"]);
  expect(code).toBe(0);
  for (const command of commands) {
    expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  }
  for (const { exitCode } of Object.values(cliErrors)) expect(stdout).toContain(`\n  ${exitCode}    `);
  expect(stdout).toContain("$ millrace ");
  expect(stdout).not.toMatch(escape);
});

test.each(commands)("`%s --help` shows an example of it", async (command) => {
  const { code, stdout } = await millrace([command, "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain(`$ millrace ${command}`);
  expect((await millrace(["help", command])).stdout).toBe(stdout);
});

test.each(["runs", "functions", "events", "dead-letters"])(
  "`%s list` is another name of `ls`",
  async (command) => {
    const { code, stdout } = await millrace([command, "list", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toBe((await millrace([command, "ls", "--help"])).stdout);
  },
);

test("--version prints the package's version", async () => {
  const manifest = await readFile(join(import.meta.dirname, "../../../package.json"), "utf8");
  const { code, stdout } = await millrace(["--version"]);
  expect(code).toBe(0);
  expect(stdout.trim()).toBe((JSON.parse(manifest) as { version: string }).version);
});

test.each([
  [["rnu"], "unknown command 'rnu' (Did you mean run?)"],
  [["run"], "missing required argument 'function'"],
  [["send"], "missing required argument 'event'"],
  [["send", "a", "b"], "too many arguments for 'send'"],
  [["send", "a", "--dta", "{}"], "unknown option '--dta' (Did you mean --data?)"],
  [["runs", "lss"], "unknown command 'lss' (Did you mean ls?)"],
  [["runs", "ls", "--limit", "0"], "It must be a whole number above 0."],
  [
    ["runs", "ls", "--status", "done"],
    "Allowed choices are running, parked, paused, completed, failed, cancelled.",
  ],
  [["dev", "--port", "80a"], "--port"],
  [["dev", "--port", "65536"], "--port"],
  [["init", "x", "--lang", "cobol"], "Allowed choices are js, ts, rust, go, c, python, zig."],
])("`millrace %j` is refused with what is wrong and where the help is", async (args, message) => {
  const { code, stdout, stderr } = await millrace(args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(`millrace: ERR_USAGE: `);
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/\n {2}next: .+\n$/);
  expect(stderr).not.toMatch(stackLine);
});

test("with --json an error is one JSON document on stdout, and nothing else is printed", async () => {
  const { code, stdout, stderr } = await millrace(["rnu", "--json"]);
  expect(code).toBe(2);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    error: {
      code: "ERR_USAGE",
      message: "unknown command 'rnu' (Did you mean run?)",
      next: "See `millrace --help`.",
      problems: [],
    },
  });
});

test("only --verbose prints a stack", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const plain = await millrace(["runs", "ls", "--url", url]);
  expect(plain.code).toBe(4);
  expect(plain.stderr).toContain(`ERR_HOST_UNREACHABLE: No host answers at ${url}: nothing listens there.`);
  expect(plain.stderr).toContain("millrace dev");
  expect(plain.stderr).not.toMatch(stackLine);
  const verbose = await millrace(["runs", "ls", "--url", url, "--verbose"]);
  expect(verbose.stderr).toMatch(stackLine);
  expect(verbose.stderr).toContain("caused by: ");
});

test("colours come where they are forced, and never with NO_COLOR", async () => {
  expect((await millrace(["rnu"], { env: { FORCE_COLOR: "1" } })).stderr).toMatch(escape);
  expect((await millrace(["--help"], { env: { FORCE_COLOR: "1" } })).stdout).toMatch(escape);
  const env = { NO_COLOR: "1", TERM: "xterm-256color" };
  expect((await millrace(["rnu"], { env })).stderr).not.toMatch(escape);
  expect((await millrace(["--help"], { env })).stdout).not.toMatch(escape);
});

test("events that can't be read are refused with their place", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "broken.json"), '{\n  "name": "a/b",\n  "data": {"x": 1,}\n}');
  await writeFile(join(folder, "latin1.json"), Buffer.from('{"name":"caf\u00e9"}', "latin1"));
  const send = (source: string, input?: string) =>
    millrace(["send", source], { cwd: folder, ...(input === undefined ? {} : { input }) });

  const broken = await send("broken.json");
  expect(broken.code).toBe(2);
  expect(broken.stderr).toMatch(/^broken\.json:3:19: ERR_INPUT_JSON: expected a property name/);
  expect((await send("latin1.json")).stderr).toContain("ERR_INPUT_JSON: latin1.json is not UTF-8.");
  expect((await send("absent.json")).stderr).toContain(
    "ERR_INPUT_FILE: absent.json can't be read: there is no such file.",
  );
  expect((await send("-", "")).stderr).toContain("ERR_INPUT_JSON: stdin is empty");
  expect((await send("-", '{"name":')).stderr).toMatch(/^stdin:1:9: ERR_INPUT_JSON: expected a value/);
  for (const source of ["broken.json", "latin1.json", "absent.json"]) {
    const { code, stderr } = await send(source);
    expect(code).toBe(2);
    expect(stderr).not.toMatch(stackLine);
  }
});

test.each(['{"name":"a/b","data":{}}', '[{"name":"a/b"},{"name":"c/d"}]'])(
  "%s on the command line is JSON, and no event's name",
  async (source) => {
    const given: unknown = JSON.parse(source);
    expect(await readEvents(source, {})).toEqual(Array.isArray(given) ? given : [given]);
    expect(await readEvents(source.slice(0, -1), {}).catch((error: unknown) => error)).toMatchObject({
      code: "ERR_INPUT_JSON",
    });
  },
);

test("a reader that goes away is no failure", async () => {
  // The shell's `| head -c 1`: stdout is closed after the first byte.
  const cli = join(import.meta.dirname, "../../../host/cli/millrace.ts");
  const child = spawn(process.execPath, [cli, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("the command line's table has no code that another table has", () => {
  for (const code of Object.keys(cliErrors)) {
    expect(Object.keys(hostErrors)).not.toContain(code);
    expect(Object.keys(runtimeErrors)).not.toContain(code);
  }
});

test.each([
  ["TypeScript", "steps/greet.ts"],
  ["py", "steps/greet.py"],
  ["c++", "steps/greet.c"],
  ["golang", "steps/greet/main.go"],
])("`millrace init --lang %s` is understood", async (name, file) => {
  const { folder, dispose } = await projectFolder();
  try {
    const { code, stdout } = await millrace(["init", folder, "--lang", name, "--json"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { files: readonly string[] }).files).toContain(file);
  } finally {
    await dispose();
  }
});
