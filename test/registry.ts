import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A registry on loopback that keeps what it has until it is closed. */
export interface ServedRegistry {
  /** What its names begin with: "127.0.0.1:5000". */
  readonly host: string;
  close(): Promise<void>;
}

/** The name and the password that a registry with `passwords` wants. */
export const login = { username: "step", password: "p:w" };

/** Of "p:w" by bcrypt, as `htpasswd -B` writes it. */
const passwordHash = "$2b$04$ABhcCzNnbK9wJVwADk0OCeZX7ITnoIicL8Ts133Dbqxk6Y.3JQmty";

/** What a registry asks for: nothing, a password, or the token of a service. */
export type RegistryAuth =
  | "none"
  | "passwords"
  | {
      readonly realm: string;
      readonly service: string;
      readonly issuer: string;
      readonly rootcertbundle: string;
    };

/** Debian's docker-registry; undefined where it is not installed, which is an error with CI=true. */
export async function serveRegistry(auth: RegistryAuth): Promise<ServedRegistry | undefined> {
  if (spawnSync("docker-registry", ["--version"]).status !== 0) {
    const message = "docker-registry is needed: apt-get install docker-registry.";
    if (process.env["CI"] === "true") throw new Error(message);
    console.error(`TESTS OF REGISTRIES ARE SKIPPED: ${message}`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(folder, "htpasswd"), `step:${passwordHash}\n`);
  const passwords = { htpasswd: { realm: "tests", path: join(folder, "htpasswd") } };
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: host },
    ...(auth === "none" ? {} : { auth: auth === "passwords" ? passwords : { token: auth } }),
  };
  writeFileSync(join(folder, "config.yml"), JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  for (;;) {
    const status = await fetch(`http://${host}/v2/`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === (auth === "none" ? 200 : 401)) break;
    if (child.exitCode !== null) throw new Error("docker-registry ended.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    host,
    async close() {
      child.kill();
      await once(child, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}
