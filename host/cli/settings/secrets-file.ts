import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Secrets } from "../../../runtime/secrets.ts";
import { CliError } from "../errors.ts";
import { readJsonFile } from "./config-file.ts";

/** Secrets, and what whoever keeps them should hear. */
export interface ReadSecrets {
  readonly secrets: Secrets;
  readonly warnings: readonly string[];
}

/** Begins the variable of a secret: MILLRACE_SECRET_STRIPE_KEY has the secret STRIPE_KEY. */
const variablePrefix = "MILLRACE_SECRET_";
/** A shorter one could not be told from other text where it is redacted. */
const shortest = 8;
const longest = 64 * 1024;

const schema = {
  type: "object",
  propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" },
  additionalProperties: { type: "string", minLength: shortest, maxLength: longest },
};

/** The secrets of a file, if there is one, and those of the environment, which go before. Throws ERR_INPUT_FILE and ERR_CONFIG_INVALID. */
export async function readSecrets(file: string | undefined, env: NodeJS.ProcessEnv): Promise<ReadSecrets> {
  const secrets = new Map<string, string>();
  if (file !== undefined) {
    const { value } = await readJsonFile(file, schema, { secret: true });
    for (const [name, text] of Object.entries(value)) secrets.set(name, text as string);
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(variablePrefix) || value === undefined || value === "") continue;
    if (value.length < shortest || value.length > longest) {
      const message = `${variable} must have ${shortest} to ${longest} characters.`;
      throw new CliError("ERR_CONFIG_INVALID", message);
    }
    secrets.set(variable.slice(variablePrefix.length), value);
  }
  return { secrets, warnings: file === undefined ? [] : await modeWarnings(file) };
}

/** The file of a project's own secrets, where it has one: for `dev`, `run` and `doctor`. */
export async function projectSecretsFile(root: string): Promise<string | undefined> {
  const file = join(root, ".millrace", "secrets.json");
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? file : undefined;
}

async function modeWarnings(file: string): Promise<readonly string[]> {
  if (process.platform === "win32") return [];
  const { mode } = await stat(file);
  const others = 0o004;
  return (mode & others) === 0
    ? []
    : [`${file} can be read by every user of this machine: chmod 600 ${file}`];
}
