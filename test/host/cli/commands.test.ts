import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../free-port.ts";
import { millrace, temporaryFolder } from "./cli-fixture.ts";

/* What holds for every command alike. A command that is added must be named here, as the first test says. */

/** Each command as it is called in full, with what it wants besides. */
const commands: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: "init", args: ["x"] },
  { name: "build", args: [] },
  { name: "inspect", args: ["x.wasm"] },
  { name: "dev", args: [] },
  { name: "start", args: [] },
  { name: "push", args: [] },
  { name: "run", args: ["x"] },
  { name: "send", args: ["x/y"] },
  { name: "runs ls", args: [] },
  { name: "runs show", args: [] },
  { name: "runs cancel", args: ["x"] },
  { name: "runs pause", args: ["x"] },
  { name: "runs resume", args: ["x"] },
  { name: "runs retry", args: ["x"] },
  { name: "functions ls", args: [] },
  { name: "events ls", args: [] },
  { name: "dead-letters ls", args: [] },
  { name: "dead-letters show", args: ["1"] },
  { name: "dead-letters resubmit", args: ["1"] },
  { name: "dead-letters discard", args: ["1"] },
  { name: "doctor", args: [] },
];
const stackLine = /^\s+at .+:\d+:\d+\)?$/m;

/** The commands that a help lists. */
function listed(help: string): readonly string[] {
  const [, list = ""] = /\nCommands:\n((?: {2}.*\n)+)/.exec(help) ?? [];
  const names = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = ""]) => name);
  return names.filter((name) => name !== "help");
}

test("the list above has every command", async () => {
  const found: string[] = [];
  for (const group of listed((await millrace(["--help"])).stdout)) {
    const within = listed((await millrace([group, "--help"])).stdout);
    found.push(...(within.length === 0 ? [group] : within.map((name) => `${group} ${name}`)));
  }
  expect(found).toEqual(commands.map(({ name }) => name));
}, 60_000);

describe.each(commands)("millrace $name", ({ name, args }) => {
  const words = name.split(" ");

  test("has a help with an example of it, which says how programs call it", async () => {
    const { code, stdout, stderr } = await millrace([...words, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Usage: millrace ${name}`);
    expect(stdout).toMatch(new RegExp(`\\$ .*millrace ${name.replace(/^runs resume$/, "runs pause")}\\b`));
    expect(stdout).toContain("--json");
    expect(stdout).toBe(stripVTControlCharacters(stdout));
  });

  test("refuses an option that it has not, with the one that was meant", async () => {
    const { code, stdout, stderr } = await millrace([...words, ...args, "--verbos", "--json"]);
    expect([code, stderr]).toEqual([2, ""]);
    const { error } = JSON.parse(stdout) as { error: Record<string, string> };
    expect(error["code"]).toBe("ERR_USAGE");
    expect(error["message"]).toContain("(Did you mean --verbose?)");
    expect(error["next"]).toBe(`See \`millrace ${words[0]} --help\`.`);
  });
});

describe("where no host listens", () => {
  const talking = commands.filter(({ name }) => name.includes(" ") || name === "send");
  test.each(talking)("`millrace $name` says so, with 4 and no stack", async ({ name, args }) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await millrace([...name.split(" "), ...args, "--url", url]);
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toContain(
      `millrace: ERR_HOST_UNREACHABLE: No host answers at ${url}: nothing listens there.`,
    );
    expect(stderr).toMatch(/\n {2}next: .+\n$/);
    expect(stderr).not.toMatch(stackLine);
  });
});

test("a URL with https:// of what speaks no TLS is told as that", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await millrace(["runs", "ls", "--url", url]);
  expect(code).toBe(4);
  expect(stderr).toContain(`No host answers at ${url}: what listens there speaks no TLS;`);
});

/** What a command was given, and what it says of it. */
const wrong: readonly (readonly [string, code: number, says: string])[] = [
  ["build absent", 2, "ERR_INPUT_FILE: absent can't be read: there is no such folder."],
  ["build file.txt", 2, "ERR_INPUT_FILE: file.txt can't be read: it is not a folder."],
  ["build empty", 2, "ERR_PROJECT_EMPTY: empty holds no function document"],
  ["dev file.txt", 2, "ERR_INPUT_FILE: file.txt can't be read: it is not a folder."],
  ["push empty", 2, "ERR_PROJECT_EMPTY: empty holds no function document"],
  ["run x --project absent", 2, "ERR_INPUT_FILE: absent can't be read: there is no such folder."],
  ["init file.txt", 2, "ERR_INPUT_FILE: file.txt can't be the project's folder"],
  ["init file.txt/x", 2, "ERR_INPUT_FILE: file.txt/x can't be the project's folder"],
  ["init .", 2, "ERR_SCAFFOLD_NOT_EMPTY: . is not empty"],
  ["inspect absent.wasm", 2, "ERR_INPUT_FILE: absent.wasm can't be read: there is no such file."],
  ["inspect empty", 2, "ERR_INPUT_FILE: empty can't be read: it is a folder."],
  ["inspect file.txt", 2, "file.txt: ERR_COMPONENT_INVALID"],
  ["send absent.json", 2, "ERR_INPUT_FILE: absent.json can't be read: there is no such file."],
  ["send broken.json", 2, "broken.json:2:12: ERR_INPUT_JSON: expected a property name"],
  ["send file.txt/x.json", 2, "ERR_INPUT_FILE: file.txt/x.json can't be read: a part of its path is a file"],
  ["runs ls --url nothing", 2, 'ERR_USAGE: "nothing" is no URL of a host.'],
  ["runs retry x --event broken.json", 2, "broken.json:2:12: ERR_INPUT_JSON"],
  ["start --config absent.json", 2, "ERR_INPUT_FILE: absent.json can't be read: there is no such file."],
  ["start --config empty", 2, "ERR_INPUT_FILE: empty can't be read: it is a folder."],
  ["start --config broken.json", 2, "broken.json:2:12: ERR_CONFIG_INVALID"],
  ["start --policy empty", 2, "ERR_INPUT_FILE: empty can't be read: it is a folder."],
  ["start --secrets broken.json", 2, "broken.json:2:12: ERR_CONFIG_INVALID: this is not JSON"],
  ["start --tls-cert empty --tls-key empty", 2, "ERR_INPUT_FILE: empty can't be read: it is a folder."],
  ["start --tls-cert file.txt", 2, "ERR_USAGE: HTTPS needs both --tls-cert and --tls-key."],
  ["start --port 0 --broker memory: --tls-cert file.txt --tls-key file.txt", 2, "ERR_API_OPTIONS: "],
  ["start --host 0.0.0.0", 2, "ERR_USAGE: On 0.0.0.0 others than this machine can send events"],
  ["start --engine x", 2, 'ERR_USAGE: --engine must be one of auto, wasmtime, v8, and is "x".'],
  ["start --broker x://y", 2, 'ERR_STORE_URL: "x://y" is no store\'s URL.'],
  ["start --port 0 --broker sqlite:empty", 4, "ERR_STORE_UNAVAILABLE: empty can't be opened"],
  ["start --port 0 --broker sqlite:file.txt", 4, "ERR_STORE_UNAVAILABLE: file.txt can't be opened"],
  ["start --broker nats://127.0.0.1:1", 4, "ERR_STORE_UNAVAILABLE: No connection to 127.0.0.1:1"],
];

test.each(wrong)("`millrace %s` exits with %i and says what is wrong", async (line, exit, says) => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "empty"));
  await writeFile(join(cwd, "file.txt"), "neither JSON nor a program nor a certificate\n");
  await writeFile(join(cwd, "broken.json"), '{\n  "data": {,}\n}\n');
  const { code, stdout, stderr } = await millrace(line.split(" "), { cwd });
  expect(stderr).toContain(says);
  expect([code, stdout]).toEqual([exit, ""]);
  expect(stderr).toMatch(/\n {2}next: .+\n$/);
  // What a sender of events is told would not help whoever starts a host.
  expect(stderr).not.toContain("Send it again");
  expect(stderr).not.toContain("millrace <command>");
  expect(stderr).not.toMatch(stackLine);
});
