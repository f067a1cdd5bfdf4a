import { join } from "node:path";
import type { Artifact } from "../../host/build/packer.ts";
import type { Driver } from "../../runtime/driver.ts";
import { createDrivers } from "../../runtime/drivers.ts";
import { defaultLimits } from "../../runtime/limits.ts";
import type { EngineChoice } from "../../runtime/wasm/choice.ts";
import { loadBinding } from "../../runtime/wasm/wasmtime/load.ts";
import { stepInput } from "../runtime/wasm/harness.ts";
import { median } from "./figure.ts";
import { withFolder } from "./folder.ts";

/** Hosts that see a component for the first time; fewer where that takes longer than these milliseconds altogether. */
const hosts = 3;
const longestFirst = 5_000;

/** Attempts of each component from then on, of which the latter half counts: during the others engines still compile. */
const attempts = 80;

/** The engines there are here. */
export function engines(): readonly EngineChoice[] {
  return loadBinding().ok ? ["v8", "wasmtime"] : ["v8"];
}

/** Medians, in milliseconds, for each of some components, which take turns: what else the machine does is with all of them. */
export async function attemptTimes(
  components: readonly Artifact[],
  engine: EngineChoice,
): Promise<readonly { readonly first: number; readonly later: number }[]> {
  return withFolder(async (folder) => {
    const times = components.map(() => ({ first: [] as number[], later: [] as number[] }));
    let last: Driver[] = [];
    let spent = 0;
    try {
      for (let host = 0; host < hosts && spent < longestFirst; host++) {
        for (const driver of last) await driver.close();
        last = components.map((component, index) =>
          open(component, engine, join(folder, `${host}-${index}`)),
        );
        for (const [index, driver] of last.entries()) {
          const ms = await attempt(driver, components[index]);
          times[index]?.first.push(ms);
          spent += ms;
        }
      }
      for (let count = 0; count < attempts; count++) {
        for (const [index, driver] of last.entries()) {
          times[index]?.later.push(await attempt(driver, components[index]));
        }
      }
    } finally {
      for (const driver of last) await driver.close();
    }
    return times.map(({ first, later }) => ({
      first: median(first),
      later: median(later.slice(attempts / 2)),
    }));
  });
}

function open(component: Artifact, engine: EngineChoice, cacheDir: string): Driver {
  const artifacts = async (): Promise<Uint8Array> => component.bytes();
  const driver = createDrivers({ artifacts, cacheDir, parallelism: 1, engine }).get("wasm");
  if (driver === undefined) throw new Error("there is no driver for Wasm");
  return driver;
}

async function attempt(driver: Driver, component: Artifact | undefined): Promise<number> {
  const program = { runtime: { type: "wasm" }, sha256: component?.sha256 ?? "" } as const;
  const begun = performance.now();
  const result = await driver.execute({ program, input: stepInput(), limits: defaultLimits });
  if (!result.ok) throw new Error(JSON.stringify(result));
  return performance.now() - begun;
}
