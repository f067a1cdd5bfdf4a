import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** What `docker login` writes into config.json. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

const helperMs = 10_000;

/**
 * The header X-Registry-Auth for an image's registry, of what `docker login` kept on this machine: in config.json, or
 * with the credential helper that it names. Undefined where there is nothing.
 */
export async function registryAuth(image: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const registry = registryOf(image);
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  const config = await readConfig(join(folder, "config.json"));
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const found = helper === undefined ? undefined : await askHelper(helper, registry);
  const login = found ?? stored(config, registry);
  if (login === undefined) return undefined;
  const text = Buffer.from(JSON.stringify({ ...login, serveraddress: registry })).toString("base64");
  // For URLs, but with its padding: Docker 20 takes it for nothing without.
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/** Docker's own registry goes by a name of its own in these files. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : "https://index.docker.io/v1/";
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    return (JSON.parse(await readFile(file, "utf8")) ?? {}) as DockerConfig;
  } catch {
    return {};
  }
}

function stored({ auths = {} }: DockerConfig, registry: string): object | undefined {
  const { auth, identitytoken } = auths[registry] ?? {};
  if (identitytoken) return { identitytoken };
  if (!auth) return undefined;
  const [username = "", ...password] = Buffer.from(auth, "base64").toString().split(":");
  return { username, password: password.join(":") };
}

/** Helpers read the registry from stdin and print JSON; one that is not there, or knows nothing, is no failure. */
async function askHelper(helper: string, registry: string): Promise<object | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${helper}`, ["get"], { timeout: helperMs }, (error, stdout) =>
      resolve(error === null ? helperLogin(stdout) : undefined),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(registry);
  });
}

function helperLogin(text: string): object | undefined {
  try {
    const { Username, Secret } = JSON.parse(text) as { Username?: string; Secret?: string };
    if (Username === "<token>") return { identitytoken: Secret };
    return { username: Username, password: Secret };
  } catch {
    return undefined;
  }
}
