import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Figure, median } from "./figure.ts";
import { withFolder } from "./folder.ts";

const cli = fileURLToPath(new URL("../../host/cli/millrace.ts", import.meta.url));
const starts = 7;

/** `millrace dev` on a fresh project whose steps are built: from the start of the process until it takes events. */
export async function run(): Promise<readonly Figure[]> {
  return withFolder(async (folder) => {
    const project = join(folder, "shop");
    millrace("init", project);
    millrace("build", project);
    const ready: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < starts; i += 1) {
      ready.push(await untilReady(project));
      bare.push(bareStart());
    }
    return [
      {
        bench: "dev-ready",
        figure: "start to ready, median",
        value: median(ready),
        unit: "ms",
        against: "node --eval 0",
        ratio: median(ready) / median(bare),
        better: "lower",
      },
    ];
  });
}

function millrace(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`millrace ${args.join(" ")}: ${stderr}`);
}

async function untilReady(project: string): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [cli, "dev", project, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    for await (const line of createInterface(child.stdout)) {
      if ((JSON.parse(line) as { type: string }).type === "ready") return performance.now() - begun;
    }
    throw new Error("millrace dev ended before it was ready");
  } finally {
    child.kill("SIGTERM");
    child.stdout.resume();
    await exited;
  }
}

function bareStart(): number {
  const begun = performance.now();
  spawnSync(process.execPath, ["--eval", "0"]);
  return performance.now() - begun;
}
