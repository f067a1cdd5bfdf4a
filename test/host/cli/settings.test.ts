import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfigFile } from "../../../host/cli/settings/config-file.ts";
import { resolveSettings } from "../../../host/cli/settings/resolve.ts";
import { keyOf, variableOf, type Setting } from "../../../host/cli/settings/setting.ts";
import { hostSettings } from "../../../host/cli/settings/table.ts";
import { table } from "../../documentation.ts";
import { millrace, temporaryFolder } from "./cli-fixture.ts";

test("the documentation's table has every setting with its default, its variable and its key", () => {
  const cells = table("Settings of `millrace start`");
  expect(cells.map(([flag, variable, key, standard]) => [flag, variable, key, standard])).toEqual(
    hostSettings.map((setting: Setting) => [
      `\`--${setting.name}\``,
      `\`${variableOf(setting)}\``,
      `\`${keyOf(setting)}\``,
      setting.default === undefined ? "" : `\`${setting.default}\``,
    ]),
  );
});

describe("flags go before the environment, that before the file, that before the defaults", () => {
  test.each([
    ["--port", { flags: { port: "1" }, env: { MILLRACE_PORT: "2" }, file: 3 }, 1],
    ["MILLRACE_PORT", { flags: {}, env: { MILLRACE_PORT: "2" }, file: 3 }, 2],
    ["c.json:9", { flags: {}, env: {}, file: 3 }, 3],
    ["c.json:9", { flags: {}, env: { MILLRACE_PORT: "" }, file: 3 }, 3],
    ["--port", { flags: { port: "1" }, env: {}, file: undefined }, 1],
    ["default", { flags: {}, env: {}, file: undefined }, 8288],
  ])("%s", (from, { flags, env, file }, value) => {
    const settings = new Map(file === undefined ? [] : [["port", { value: file, line: 9 }]]);
    const resolved = resolveSettings(hostSettings, { flags, env, file: { name: "c.json", settings } });
    expect(resolved.number("port")).toBe(value);
    expect(resolved.all.find(({ setting }) => setting.name === "port")?.from).toBe(from);
  });
});

test.each([
  ["keep-events", "7d", 604_800_000],
  ["max-event-bytes", "1GiB", 2 ** 30],
  ["max-event-bytes", "1000", 1_000],
  ["grace", "1.5s", 1_500],
  ["runtimes", "wasm, docker", ["wasm", "docker"]],
  ["key", "a,b", ["a", "b"]],
  ["replicas", "3", 3],
  ["max-runs", "5", 5],
])("the setting %s reads %j from the environment and from a flag alike", (name, text, value) => {
  const setting = hostSettings.find((one) => one.name === name)!;
  for (const sources of [
    { flags: { [keyOf(setting)]: text }, env: {} },
    { flags: {}, env: { [variableOf(setting)]: text } },
  ])
    expect(resolveSettings([setting], sources).all[0]?.value).toEqual(value);
});

test.each([
  ["port", "65536"],
  ["port", "x"],
  ["grace", "soon"],
  ["grace", "5"],
  ["max-runs", "0"],
  ["replicas", "2"],
  ["runtimes", "wasm,java"],
  ["key", "a,,b"],
  ["engine", "v9"],
  ["max-event-bytes", "much"],
])("the setting %s does not take %j, wherever it comes from", (name, text) => {
  const setting = hostSettings.find((one) => one.name === name)!;
  const flag = () => resolveSettings([setting], { flags: { [keyOf(setting)]: text }, env: {} });
  expect(flag).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
  const env = () => resolveSettings([setting], { flags: {}, env: { [variableOf(setting)]: text } });
  expect(env).toThrow(expect.objectContaining({ code: "ERR_CONFIG_INVALID" }));
});

test("a file gives every setting, with comments and trailing commas", async () => {
  const file = join(await temporaryFolder(), "millrace.json");
  await writeFile(
    file,
    '{\n  // where it is\n  "broker": "nats://a,nats://b",\n  "key": ["a", "b"],\n  "maxEventBytes": 5, /* few */\n  "grace": "1m",\n}',
  );
  const settings = await readConfigFile(file, hostSettings);
  expect(Object.fromEntries(settings)).toEqual({
    broker: { value: "nats://a,nats://b", line: 3 },
    key: { value: ["a", "b"], line: 4 },
    "max-event-bytes": { value: 5, line: 5 },
    grace: { value: 60_000, line: 6 },
  });
});

test.each([
  ['{\n  "porrt": 1\n}', { pointer: "/porrt", line: 2, column: 3, suggestion: "port" }],
  ['{\n  "host": "x",\n  "port": "1"\n}', { pointer: "/port", line: 3, column: 3 }],
  ['{ "port": 70000 }', { pointer: "/port", line: 1, column: 3 }],
  ['{\n  "runtimes": ["wasm",\n    "java"]\n}', { pointer: "/runtimes/1", line: 3, column: 5 }],
  ['{\n  "port" 1\n}', { pointer: "", line: 2 }],
  ["", { pointer: "", line: 1 }],
  ["[]", { pointer: "", line: 1 }],
  ['{ "config": "x" }', { pointer: "/config", line: 1 }],
])("the file %j is refused with the place", async (text, problem) => {
  const file = join(await temporaryFolder(), "millrace.json");
  await writeFile(file, text);
  await expect(readConfigFile(file, hostSettings)).rejects.toMatchObject({
    code: "ERR_CONFIG_INVALID",
    problems: [{ code: "ERR_CONFIG_INVALID", file, ...problem }],
  });
});

test("`start --print-config` shows what is in force, where it came from, and no secret", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "c.json"), '{\n  "lease": "10s",\n  "natsPassword": "hidden-1" }');
  const { code, stdout } = await millrace(
    ["start", "--print-config", "--json", "--key", "hidden-2", "--broker", "nats://u:hidden-3@h:4222"],
    {
      cwd,
      env: { MILLRACE_CONFIG: "c.json", MILLRACE_API_KEY: "hidden-4", MILLRACE_NATS_TOKEN: "hidden-5" },
    },
  );
  expect(code).toBe(0);
  expect(stdout).not.toContain("hidden");
  const { settings } = JSON.parse(stdout) as { settings: object[] };
  expect(settings).toHaveLength(hostSettings.length);
  expect(settings).toEqual(
    expect.arrayContaining([
      { name: "broker", value: "nats://***@h:4222", from: "--broker" },
      { name: "lease", value: 10_000, from: "c.json:2" },
      { name: "nats-password", value: "***", from: "c.json:3" },
      { name: "api-key", value: "***", from: "MILLRACE_API_KEY" },
      { name: "nats-token", value: "***", from: "MILLRACE_NATS_TOKEN" },
      { name: "port", value: 8288, from: "default" },
      { name: "replicas", value: null, from: "default" },
    ]),
  );
});
