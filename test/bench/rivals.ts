import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import type { Speed } from "./load.ts";
import { unavailable } from "./unavailable.ts";

/** A queue that is measured beside ours. */
export interface Rival {
  readonly bench: string;
  /** Its name, in a few words. */
  readonly against: string;
  /** Its version, persistence and concurrency. */
  readonly settings: string;
  readonly oneStep: Speed;
  readonly threeSteps: Speed;
}

const folder = new URL("rivals/", import.meta.url);

/** A path in the folder of the rivals' packages. */
export function rivalPath(path: string): string {
  return fileURLToPath(new URL(path, folder));
}

/** A package of a rival; all of them are installed when one is first wanted. */
export function rivalPackage(name: string): unknown {
  install(name);
  return createRequire(new URL("package.json", folder))(name);
}

/** The version of an installed package of a rival. */
export function rivalVersion(name: string): string {
  install(name);
  const { version } = createRequire(new URL("package.json", folder))(
    rivalPath(`node_modules/${name}/package.json`),
  ) as { readonly version: string };
  return version;
}

/** Ours beside a rival's: throughput and latencies, of one step and of three. */
export function beside(
  rival: Rival,
  ours: readonly { readonly name: string; readonly steps: 1 | 3; readonly speed: Speed }[],
): readonly Figure[] {
  return ours.flatMap(({ name, steps, speed }) => {
    const theirs = steps === 1 ? rival.oneStep : rival.threeSteps;
    const figure = (of: keyof Speed, unit: string, better: Figure["better"]): Figure => ({
      bench: rival.bench,
      figure: `${name} ${of}`,
      value: speed[of],
      unit,
      against: `${rival.against}: ${theirs[of].toPrecision(3)} ${unit}`,
      settings: rival.settings,
      ratio: speed[of] / theirs[of],
      better,
    });
    return [
      figure("throughput", "runs/s", "higher"),
      figure("p50", "ms", "lower"),
      figure("p99", "ms", "lower"),
    ];
  });
}

function install(name: string): void {
  if (existsSync(rivalPath(`node_modules/${name}/package.json`))) return;
  // The packages bring their binaries with them; their scripts would only report the installation.
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], {
    cwd: fileURLToPath(folder),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw unavailable("npm ci in test/bench/rivals failed");
  if (!existsSync(rivalPath(`node_modules/${name}/package.json`)))
    throw unavailable(`there is no ${name} for ${process.platform} ${process.arch}`);
}
