import { globSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "jsonc-parser";
import { expect, test } from "vitest";
import { readPolicyFile } from "../host/cli/settings/policy-file.ts";
import schema from "../host/function/function.schema.json" with { type: "json" };
import { loadFunction } from "../host/function/load.ts";
import { pages } from "./documentation.ts";
import { millrace, temporaryFolder } from "./host/cli/cli-fixture.ts";

/* What the documentation shows of function documents is what a reader copies. */

type Fields = Readonly<Record<string, unknown>>;

const documentKeys: readonly string[] = Object.keys(schema.properties);
const stepKeys: readonly string[] = Object.keys(schema.$defs.step.properties);
interface Snippet {
  readonly place: string;
  readonly text: string;
}

/** The blocks of JSON of a page, each with the line that it begins on. */
function snippets(path: string, page: string): readonly Snippet[] {
  return [...page.matchAll(/^```json\n([^]*?)^```/gm)].map((match) => ({
    place: `${path}:${page.slice(0, match.index).split("\n").length}`,
    text: match[1] ?? "",
  }));
}

/** The snippet as a whole document: what it leaves out is made up. */
function completed(text: string): Fields {
  const shown = text.trim().startsWith("{") ? text : `{${text}}`;
  const errors: never[] = [];
  const fields = parse(shown, errors, { disallowComments: true }) as Fields;
  expect(errors).toEqual([]);
  const keys = Object.keys(fields);
  const path = "file://./step.ts";
  const base = { id: "f", triggers: [{ event: "a/b" }] };
  if (keys.every((key) => documentKeys.includes(key)))
    return { ...base, steps: { one: { path } }, ...fields };
  const steps = keys.every((key) => stepKeys.includes(key)) ? { one: { path, ...fields } } : fields;
  return { ...base, steps };
}

/** The document with the steps that it names and does not show. */
function withSteps(document: Fields): Fields {
  const steps = { ...(document["steps"] as Fields) };
  for (;;) {
    const loaded = loadFunction(JSON.stringify({ ...document, steps }), { file: "f.json" });
    const missing = loaded.ok
      ? []
      : loaded.problems.filter(({ code }) => code === "ERR_FUNCTION_STEP_UNKNOWN");
    const names = missing.flatMap(({ message }) => /a? step "([\w-]+)"/.exec(message)?.[1] ?? []);
    if (names.length === 0) return { ...document, steps };
    for (const name of names) steps[name] = { path: "file://./step.ts" };
  }
}

const all = [...pages].flatMap(([path, page]) => snippets(path, page));
/** The operator's policy is the one that has no step and no field of a function. */
const isPolicy = ({ text }: Snippet): boolean => /^\{\s*"capabilities"/.test(text);

test.each(all.filter((snippet) => !isPolicy(snippet)))(
  "what $place shows of a function loads",
  ({ text }) => {
    const loaded = loadFunction(JSON.stringify(withSteps(completed(text))), { file: "f.json" });
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  },
);

test("the policy that is shown is one", async () => {
  const shown = all.filter(isPolicy);
  expect(shown).toHaveLength(1);
  const file = join(await temporaryFolder(), "policy.json");
  await writeFile(file, shown[0]!.text);
  await expect(readPolicyFile(file)).resolves.toEqual(expect.any(Object));
});

/** What stands beside each example. */
function exampleNotes(): readonly (readonly [string, string])[] {
  const root = join(import.meta.dirname, "..");
  return globSync("examples/*/README.md", { cwd: root }).map((path) => [
    path,
    readFileSync(join(root, path), "utf8"),
  ]);
}

/** Each call of a command that a page shows, in a block or in a line: the words behind `millrace`. */
const calls = [...pages, ...exampleNotes()].flatMap(([path, page]) =>
  [...page.matchAll(/(?:^\s*(?:\$ )?|`|\| |&& )(?:npx )?millrace ([a-z][^`\n#]*)/gm)].map(
    ([, line = ""]) => ({
      path,
      line: line.trim(),
    }),
  ),
);

test("each command that is shown is there, and takes the options that it is shown with", async () => {
  expect(calls.length).toBeGreaterThan(50);
  const helps = new Map<string, string>();
  const helpOf = async (name: string): Promise<string> => {
    const known = helps.get(name) ?? (await millrace([...name.split(" "), "--help"])).stdout;
    helps.set(name, known);
    return known;
  };
  const wrong: string[] = [];
  for (const { path, line } of calls) {
    const [command = "", sub = ""] = line.split(/[ ,]/);
    const groups = ["runs", "functions", "events", "dead-letters"];
    const subs = groups.includes(command) ? sub.split(/\\?\|/).filter((name) => /^[a-z]+$/.test(name)) : [""];
    for (const name of subs.length === 0 ? [""] : subs) {
      const help = await helpOf(`${command} ${name}`.trim());
      if (!help.startsWith(`Usage: millrace ${command}${name === "" ? "" : ` ${name}`}`))
        wrong.push(`${path}: ${line}`);
      for (const [option] of line.split("`")[0]!.matchAll(/--[a-z-]+/g))
        if (!help.includes(option)) wrong.push(`${path}: ${line}: ${option}`);
    }
  }
  expect(wrong).toEqual([]);
}, 120_000);
