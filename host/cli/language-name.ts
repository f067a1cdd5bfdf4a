import { type StarterName, starters } from "../build/templates/starters.ts";
import { CliError } from "./errors.ts";

/** What people call them besides. */
const others: Readonly<Record<string, StarterName>> = {
  javascript: "js",
  typescript: "ts",
  py: "python",
  rs: "rust",
  "c++": "c",
  cpp: "c",
  golang: "go",
};

/** The language that somebody means. Throws ERR_USAGE. */
export function languageOf(answer: string): StarterName {
  const word = answer.toLowerCase();
  const found = starters.find((name) => name === word) ?? others[word];
  if (found !== undefined) return found;
  throw new CliError(
    "ERR_USAGE",
    `${JSON.stringify(answer)} is none of the languages. Allowed choices are ${starters.join(", ")}.`,
  );
}
