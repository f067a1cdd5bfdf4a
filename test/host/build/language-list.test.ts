import { expect, test } from "vitest";
import { buildLanguages } from "../../../host/build/languages/languages.ts";
import { type StarterName, starters } from "../../../host/build/templates/starters.ts";
import { toolchainResults } from "../../../host/cli/doctor/toolchain-checks.ts";
import schema from "../../../host/function/function.schema.json" with { type: "json" };
import { type LanguageName, languages } from "../../../host/function/language.ts";
import { documentation, pages } from "../../documentation.ts";
import { millrace } from "../cli/cli-fixture.ts";

const readme = pages.get("README.md") ?? "";

const all = Object.values(buildLanguages);

/** The language that each new project is in. */
const languageOf = (name: StarterName): LanguageName =>
  name === "js" || name === "ts" ? "javascript" : name;

/** The cells of the README's rows that begin with one of these texts. */
function rows(heads: readonly string[]): readonly (readonly string[])[] {
  return readme
    .split("\n")
    .filter((line) => heads.some((head) => line.startsWith(`| ${head} `)))
    .map((line) => line.split("|").map((cell) => cell.trim()));
}

test("every language is built, by the name that it has in documents", () => {
  expect(all.map(({ name }) => name)).toEqual(languages);
  expect(Object.keys(buildLanguages)).toEqual(languages);
  expect(schema.$defs.runtime.properties.language.enum).toEqual(languages);
});

test("every language has a new project, as the help and the documentation name it", async () => {
  expect(new Set(starters.map(languageOf))).toEqual(new Set(languages));
  const { stdout } = await millrace(["init", "--help"]);
  const choices = /--lang <language>[^(]*\(choices:([^)]*)\)/.exec(stdout)?.[1] ?? "";
  expect([...choices.matchAll(/"(\w+)"/g)].map(([, name]) => name)).toEqual(starters);
  expect(documentation).toContain(`\`--lang ${starters.join("\\|")}\``);
  const sentence = /^`millrace init --lang (\w+)` \(or ([^)]*)\)/m.exec(documentation);
  const others = sentence?.[2] ?? "";
  const named = [sentence?.[1], ...[...others.matchAll(/`(\w+)`/g)].map(([, name]) => name)];
  expect(new Set(named)).toEqual(new Set(starters));
});

test("the README's table has every language, with the files that it is known by", () => {
  for (const { title, extensions, manifests } of all) {
    const [row] = rows([title.replace(" or ", ", ")]);
    expect(row, `${title} is not in the table of languages`).toBeDefined();
    const [, , file, folder] = row ?? [];
    expect(file).toContain(`\`${extensions[0]}\``);
    for (const manifest of manifests) expect(folder, title).toContain(`\`${manifest}\``);
  }
});

test("the README's table of times has every language, both ways", () => {
  for (const { title } of all) {
    const name = title.split(" or ").at(-1) === "C++" ? "C" : title.split(" or ").at(-1);
    for (const mode of ["program", "typed"]) {
      const pattern = new RegExp(`^\\| ${name}(?:, \\w+)?: ${mode} +\\| \\d`, "m");
      expect(readme, `${title}: ${mode}`).toMatch(pattern);
    }
  }
});

test("doctor looks for the toolchain of every language that needs one", async () => {
  const looked: string[] = [];
  for await (const { name, detail } of toolchainResults()) {
    expect(detail).toContain(buildLanguages[name].title);
    looked.push(name);
  }
  expect(looked).toEqual(languages.filter((name) => name !== "javascript"));
}, 60_000);
