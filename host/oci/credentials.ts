import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** What a registry asks for. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  /** A token that is changed for shorter-lived ones. */
  | { readonly refreshToken: string };

/** As docker writes it. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, DockerAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

interface DockerAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** What `docker login` left for a registry: in its configuration, or with a helper that this names. None: undefined. */
export async function findCredentials(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const folder = env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const config = await readConfig(join(folder, "config.json"));
  // Docker Hub is called by its first address there.
  const names =
    registry === "docker.io" ? ["https://index.docker.io/v1/", registry] : [registry, `https://${registry}`];
  for (const name of names) {
    const helper = config.credHelpers?.[name] ?? config.credsStore;
    const found =
      (helper === undefined ? undefined : await fromHelper(helper, name)) ?? fromEntry(config.auths?.[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    return (JSON.parse(await readFile(file, "utf8")) ?? {}) as DockerConfig;
  } catch {
    // Whoever has none, or one that can't be read, is asked for no password.
    return {};
  }
}

function fromEntry(entry: DockerAuth | undefined): Credentials | undefined {
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { refreshToken: entry.identitytoken };
  const decoded = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
  const at = decoded.indexOf(":");
  const user = entry.username ?? decoded.slice(0, Math.max(at, 0));
  const password = entry.password ?? (at === -1 ? "" : decoded.slice(at + 1));
  return user === "" ? undefined : { user, password };
}

async function fromHelper(helper: string, name: string): Promise<Credentials | undefined> {
  if (!/^[\w-]+$/.test(helper)) return undefined;
  const text = await runProgram(`docker-credential-${helper}`, ["get"], name);
  if (text === undefined) return undefined;
  try {
    const { Username: user = "", Secret: password = "" } = JSON.parse(text) as Record<string, string>;
    if (user === "<token>") return { refreshToken: password };
    return user === "" ? undefined : { user, password };
  } catch {
    // It says in words that it has none.
    return undefined;
  }
}
