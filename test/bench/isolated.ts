import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Speed } from "./load.ts";
import { needProgram } from "./process.ts";

const program = fileURLToPath(new URL("isolated-rival.ts", import.meta.url));
/** Brings up the loopback interface of a new network namespace, which is all it has, and becomes the command. */
const onLoopback = 'ip link set lo up && exec "$@"';

/** Measures a rival in a network namespace of its own: servers that look for updates then reach nothing. */
export async function isolated(rival: "restate" | "temporal", steps: 1 | 3): Promise<Speed> {
  needProgram("unshare", "util-linux");
  needProgram("ip", "iproute2", "-Version");
  const command = [process.execPath, program, rival, String(steps)];
  const child = spawn("unshare", ["--map-root-user", "--net", "sh", "-c", onLoopback, "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8") as AsyncIterable<string>) output += text;
  const [code] = await exited;
  if (code !== 0) throw new Error(`measuring ${rival} ended with ${code}: ${output}`);
  return JSON.parse(output.slice(output.lastIndexOf("{"))) as Speed;
}
