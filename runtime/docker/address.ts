import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";

/** Where an engine listens. */
export interface EngineAddress {
  /** As people write it: "unix:///var/run/docker.sock", "tcp://build-1:2376". */
  readonly name: string;
  /** What said so: "DOCKER_HOST", "the Docker context build", "its usual place". */
  readonly from: string;
  /** Without a path. */
  readonly origin: string;
  readonly socketPath?: string;
  readonly tls?: TlsFiles;
}

/** PEM texts. */
interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False only where the context says that the engine's certificate does not matter. */
  readonly verify: boolean;
}

/** An address, or why there is none. */
export type FoundAddress = { readonly ok: true; readonly address: EngineAddress } | Refusal;

/** `none`: nobody said that there is one, and none was found. */
type Refusal = { readonly ok: false; readonly none: boolean; readonly failure: StepFailure };

/**
 * Finds the engine as Docker's own command does: DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), then the
 * context of DOCKER_CONTEXT or of config.json, then the usual sockets of Docker and of Podman.
 */
export async function findEngine(env: NodeJS.ProcessEnv = process.env): Promise<FoundAddress> {
  const config = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  const host = env["DOCKER_HOST"];
  if (host) return hostAddress(host, env, config);
  const context = env["DOCKER_CONTEXT"] || (await currentContext(config));
  if (context !== undefined && context !== "default") return contextAddress(context, config);
  return usualAddress(env);
}

async function hostAddress(host: string, env: NodeJS.ProcessEnv, config: string): Promise<FoundAddress> {
  const verify = Boolean(env["DOCKER_TLS_VERIFY"]);
  const folder = env["DOCKER_CERT_PATH"] || config;
  const files = verify ? await tlsFiles(folder, verify) : undefined;
  if (files !== undefined && files.ca === undefined) {
    return refuse(`DOCKER_TLS_VERIFY is set, and ${join(folder, "ca.pem")} can't be read`);
  }
  return parse(host, "DOCKER_HOST", files);
}

async function currentContext(config: string): Promise<string | undefined> {
  const settings = await readJson<{ currentContext?: string }>(join(config, "config.json"));
  return settings?.currentContext;
}

/** Contexts lie in folders that are named by the sha256 of their name. */
async function contextAddress(name: string, config: string): Promise<FoundAddress> {
  const folder = createHash("sha256").update(name).digest("hex");
  const meta = await readJson<ContextMeta>(join(config, "contexts", "meta", folder, "meta.json"));
  const endpoint = meta?.Endpoints?.docker;
  if (endpoint?.Host === undefined) {
    return refuse(`the Docker context ${JSON.stringify(name)} is not there, or has no endpoint`);
  }
  const verify = endpoint.SkipTLSVerify !== true;
  const files = await tlsFiles(join(config, "contexts", "tls", folder, "docker"), verify);
  const isSecure = files.ca !== undefined || files.cert !== undefined || !verify;
  return parse(endpoint.Host, `the Docker context ${name}`, isSecure ? files : undefined);
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

async function usualAddress(env: NodeJS.ProcessEnv): Promise<FoundAddress> {
  const home = env["HOME"] || homedir();
  const user = env["XDG_RUNTIME_DIR"];
  const sockets = [
    "/var/run/docker.sock",
    ...(user ? [join(user, "docker.sock")] : []),
    join(home, ".docker", "run", "docker.sock"),
    ...(user ? [join(user, "podman", "podman.sock")] : []),
    "/run/podman/podman.sock",
  ];
  for (const socketPath of sockets) {
    const found = await stat(socketPath).catch(() => undefined);
    if (found?.isSocket() === true) return parse(`unix://${socketPath}`, "its usual place", undefined);
  }
  const message = `No Docker or Podman engine was found: DOCKER_HOST is not set, there is no Docker context, and none of ${sockets.join(", ")} is there.`;
  return { ok: false, none: true, failure: failure("ERR_DOCKER_UNREACHABLE", message) };
}

function parse(name: string, from: string, tls: TlsFiles | undefined): FoundAddress {
  const socketPath = /^unix:\/\/(?<path>\/.+)$/.exec(name)?.groups?.["path"];
  if (socketPath !== undefined) {
    return { ok: true, address: { name, from, origin: "http://docker", socketPath } };
  }
  const [, scheme = "", place = ""] = /^(tcp|https?):\/\/(.+?)\/?$/.exec(name) ?? [];
  const secure = tls ?? (scheme === "https" ? { verify: true } : undefined);
  const origin = `${secure === undefined ? "http" : "https"}://${place}`;
  if (place === "" || !URL.canParse(origin) || new URL(origin).origin === "null") {
    return refuse(`${from} says ${JSON.stringify(name)}; it must be unix:///<path> or tcp://<host>:<port>`);
  }
  const { hostname, port } = new URL(origin);
  // The ports that Docker has for itself: HTTP's own are never meant.
  const withPort = `${hostname}:${port === "" ? (secure === undefined ? 2375 : 2376) : port}`;
  return {
    ok: true,
    address: {
      name,
      from,
      origin: `${secure === undefined ? "http" : "https"}://${withPort}`,
      ...(secure && { tls: secure }),
    },
  };
}

async function tlsFiles(folder: string, verify: boolean): Promise<TlsFiles> {
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((name) => readText(join(folder, name))),
  );
  return { verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function refuse(why: string): Refusal {
  const message = `The engine can't be addressed: ${why}.`;
  return { ok: false, none: false, failure: failure("ERR_DOCKER_ADDRESS", message) };
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse((await readText(file)) ?? "null") as T;
  } catch {
    return undefined;
  }
}
