import type { CapabilityName } from "../capabilities.ts";
import type { StepFailure } from "../driver.ts";
import { type Inspection, inspect, someOf } from "./component.ts";
import { failure } from "../failure.ts";

/**
 * Which imports a step may have without a grant in its document.
 *
 * - `millrace:step/log` and the types of the world.
 * - WASI 0.2: arguments, an empty environment, stdin, stdout, stderr, exit, clocks, randomness, streams.
 * - WASI 0.2 that the C libraries of ordinary toolchains link though the program never calls it: terminals, the
 *   filesystem, sockets. They are harmless: there is no terminal, no folder is preopened, every socket is denied.
 *
 * All else is refused before the first attempt. That includes wasi:http: a component that imports it means to
 * call out, and finding that out in production, request by request, would be worse than not starting.
 */
const granted = [
  /^millrace:step\/(log|types)@0\.1\.\d+$/,
  /^wasi:cli\/(environment|exit|stdin|stdout|stderr|terminal-(input|output|stdin|stdout|stderr))@0\.2\.\d+$/,
  /^wasi:clocks\/(monotonic-clock|wall-clock)@0\.2\.\d+$/,
  /^wasi:random\/(random|insecure|insecure-seed)@0\.2\.\d+$/,
  /^wasi:io\/(error|poll|streams)@0\.2\.\d+$/,
  /^wasi:filesystem\/(types|preopens)@0\.2\.\d+$/,
  /^wasi:sockets\/(instance-network|network|ip-name-lookup|tcp|tcp-create-socket|udp|udp-create-socket)@0\.2\.\d+$/,
  // Core modules that were built for WASI preview 1.
  /^wasi_snapshot_preview1$/,
];

/** What a step's binary is; or why it can't run: not a component, no entry, an import that was not granted. */
export function inspectStep(bytes: Uint8Array): Inspection | StepFailure {
  const inspection = inspect(bytes);
  if ("code" in inspection) return inspection;
  const refused = inspection.imports.filter((name) => !isGranted(name));
  if (refused.length === 0) return inspection;
  return failure(
    "ERR_COMPONENT_IMPORT",
    `The component imports what its step was not granted: ${someOf(refused, 20)}.`,
  );
}

/** Whether every step may have an import of this name. */
export function isGranted(name: string): boolean {
  return granted.some((pattern) => pattern.test(name));
}

/** The capabilities of a step's document that change what an import gives it: variables, or fixed times and numbers. */
export function capabilitiesOf(name: string): readonly CapabilityName[] {
  if (!isGranted(name)) return [];
  if (name === "wasi_snapshot_preview1") return ["env", "seed"];
  if (name.startsWith("wasi:cli/environment@")) return ["env"];
  return /^wasi:(clocks|random)\//.test(name) ? ["seed"] : [];
}
