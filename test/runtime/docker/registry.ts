import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../free-port.ts";
import type { DockerEngine } from "../../../runtime/docker/engine.ts";

/** A registry of images on loopback, which wants a name and a password. */
export interface Registry {
  /** What images' names begin with: "127.0.0.1:5000". */
  readonly host: string;
  readonly login: { readonly username: string; readonly password: string };
  /** Pushes an image of the engine under a name here, which it gives back; the engine forgets that name. */
  publish(engine: DockerEngine, image: string, name: string): Promise<string>;
  close(): Promise<void>;
}

/** Of "p:w" by bcrypt, as `htpasswd -B` writes it. */
const passwordHash = "$2b$04$ABhcCzNnbK9wJVwADk0OCeZX7ITnoIicL8Ts133Dbqxk6Y.3JQmty";

/** Debian's docker-registry; undefined where it is not installed, which is an error with CI=true. */
export async function startRegistry(): Promise<Registry | undefined> {
  if (spawnSync("docker-registry", ["--version"]).status !== 0) {
    const message = "docker-registry is needed: apt-get install docker-registry.";
    if (process.env["CI"] === "true") throw new Error(message);
    console.error(`TESTS OF PULLING ARE SKIPPED: ${message}`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const login = { username: "step", password: "p:w" };
  writeFileSync(join(folder, "htpasswd"), `step:${passwordHash}\n`);
  writeFileSync(
    join(folder, "config.yml"),
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: { addr: host },
      auth: { htpasswd: { realm: "tests", path: join(folder, "htpasswd") } },
    }),
  );
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  for (;;) {
    const status = await fetch(`http://${host}/v2/`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 401) break;
    if (child.exitCode !== null) throw new Error("docker-registry ended.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    host,
    login,
    async publish(engine, image, name) {
      const repo = `${host}/${name.replace(/:.*$/, "")}`;
      const tag = name.replace(/^.*:/, "");
      await engine.call("POST", `/images/${image}/tag`, { query: { repo, tag } });
      const auth = Buffer.from(JSON.stringify(login)).toString("base64");
      const progress = engine.follow(`/images/${repo}/push`, {
        query: { tag },
        headers: { "x-registry-auth": auth },
      });
      for await (const line of progress) {
        const { error } = line as { error?: string };
        if (error !== undefined) throw new Error(error);
      }
      await engine.call("DELETE", `/images/${repo}:${tag}`, { query: { noprune: "1" } });
      return `${repo}:${tag}`;
    },
    async close() {
      child.kill();
      await once(child, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}
