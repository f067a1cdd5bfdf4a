import { readFileSync } from "node:fs";
import type { Dockerd } from "./dockerd.ts";
import { archive } from "./images.ts";

/** Makes `busybox:stable`, which Dockerfiles of examples begin with, of the machine's busybox: nothing is pulled. */
export async function makeBusyboxImage({ engine, busybox }: Dockerd): Promise<void> {
  const body = await archive({
    Dockerfile: `FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n`,
    busybox: readFileSync(busybox),
  });
  const query = { t: "busybox:stable", networkmode: "none" };
  for await (const told of engine.follow("/build", { query, body })) {
    const { error } = told as { error?: string };
    if (error !== undefined) throw new Error(`busybox:stable could not be made: ${error}`);
  }
}
