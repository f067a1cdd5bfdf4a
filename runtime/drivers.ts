import { createDockerDriver } from "./docker/docker.ts";
import type { ArtifactSource, Driver, RuntimeName } from "./driver.ts";
import type { Completions } from "./http/completions.ts";
import { createHttpDriver } from "./http/http.ts";
import { createLambdaDriver } from "./lambda/lambda.ts";
import type { Secrets } from "./secrets.ts";
import type { EngineChoice } from "./wasm/choice.ts";
import type { HostServices } from "./wasm/host-calls.ts";
import { createWasmDriver } from "./wasm/wasm.ts";

/** What the drivers of a host need from it. */
export interface DriverOptions {
  readonly artifacts: ArtifactSource;
  /** Folder for what is compiled once and kept by digest. */
  readonly cacheDir: string;
  /** Attempts that run at once in this process; the number of cores by default, or 100 on runtimes elsewhere. */
  readonly parallelism?: number;
  /** What executes Wasm steps; "auto" by default. */
  readonly engine?: EngineChoice;
  /** Fuel that each attempt of a Wasm step gets; not counted by default. */
  readonly fuel?: number;
  /** The operator's; none by default. */
  readonly secrets?: Secrets;
  /** How receivers of HTTP steps complete later what they accepted. */
  readonly completions?: Completions;
  /** What answers steps with `http` and `kv`, and how servers are found and trusted. */
  readonly services?: HostServices;
}

/** The one list of drivers. */
export function createDrivers(options: DriverOptions): ReadonlyMap<RuntimeName, Driver> {
  const drivers = [
    createWasmDriver(options),
    createDockerDriver(options),
    createLambdaDriver(options),
    createHttpDriver(options),
  ];
  return new Map(drivers.map((driver) => [driver.name, driver]));
}
