import type { DockerEngine } from "../../../runtime/docker/engine.ts";
import { login, serveRegistry } from "../../registry.ts";

/** A registry of images on loopback, which wants a name and a password. */
export interface Registry {
  /** What images' names begin with: "127.0.0.1:5000". */
  readonly host: string;
  readonly login: { readonly username: string; readonly password: string };
  /** Pushes an image of the engine under a name here, which it gives back; the engine forgets that name. */
  publish(engine: DockerEngine, image: string, name: string): Promise<string>;
  close(): Promise<void>;
}

/** Debian's docker-registry; undefined where it is not installed, which is an error with CI=true. */
export async function startRegistry(): Promise<Registry | undefined> {
  const served = await serveRegistry("passwords");
  if (served === undefined) return undefined;
  const { host } = served;
  return {
    ...served,
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
  };
}
