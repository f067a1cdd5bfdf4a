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
  const login = await loginOf(await readConfig(env), registry);
  return login && headerText({ ...login, serveraddress: registry });
}

/** The header X-Registry-Config, of all registries: which of them a build needs, its Dockerfile says to the engine alone. */
export async function registryConfig(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const config = await readConfig(env);
  const registries = Object.keys({ ...config.auths, ...config.credHelpers });
  const logins = await Promise.all(
    registries.map(async (registry) => [registry, await loginOf(config, registry)] as const),
  );
  const found = logins.filter(([, login]) => login !== undefined);
  return found.length === 0 ? undefined : headerText(Object.fromEntries(found));
}

async function loginOf(config: DockerConfig, registry: string): Promise<object | undefined> {
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const found = helper === undefined ? undefined : await askHelper(helper, registry);
  return found ?? stored(config, registry);
}

function headerText(value: object): string {
  const text = Buffer.from(JSON.stringify(value)).toString("base64");
  // For URLs, but with its padding: Docker 20 takes it for nothing without.
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/** Docker's own registry goes by a name of its own in these files. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : "https://index.docker.io/v1/";
}

async function readConfig(env: NodeJS.ProcessEnv): Promise<DockerConfig> {
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  try {
    return (JSON.parse(await readFile(join(folder, "config.json"), "utf8")) ?? {}) as DockerConfig;
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
