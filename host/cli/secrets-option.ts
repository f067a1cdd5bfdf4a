import { Option } from "commander";
import type { Secrets } from "../../runtime/secrets.ts";
import type { Terminal } from "./terminal.ts";

/** The option that gives the secrets of a project that is run here. */
export function secretsOption(): Option {
  return new Option(
    "--secrets <file>",
    "JSON: the values of secrets by name (default: .millrace/secrets.json in the project)",
  ).env("MILLRACE_SECRETS");
}

/** The secrets of a project: of the file that was named, or its own, and of the environment. */
export async function projectSecrets(
  root: string,
  named: string | undefined,
  terminal: Terminal,
): Promise<Secrets> {
  const { projectSecretsFile, readSecrets } = await import("./settings/secrets-file.ts");
  const file = named || (await projectSecretsFile(root));
  const { secrets, warnings } = await readSecrets(file, process.env);
  for (const warning of warnings) terminal.note(`${terminal.err("yellow", "warning")} ${warning}`);
  return secrets;
}
