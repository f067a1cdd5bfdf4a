import type { Capabilities, CapabilityName } from "../capabilities.ts";
import type { StepFailure } from "../driver.ts";
import { type Inspection, inspect, someOf } from "./component.ts";
import { failure } from "../failure.ts";

/**
 * Which imports a step may have without a grant in its document.
 *
 * - `millrace:step/log` and the types of the world.
 * - WASI 0.2: arguments, an empty environment, stdin, stdout, stderr, exit, clocks, randomness, streams.
 * - WASI 0.2 that the C libraries of ordinary toolchains link though the program never calls it: terminals, the
 *   filesystem, sockets. They are harmless: there is no terminal, no folder is preopened without `tmp`, every socket
 *   is denied.
 *
 * All else is refused before the first attempt, unless a capability gives it: a component that imports wasi:http means
 * to call out, and finding out in production, request by request, that it can't would be worse than not starting.
 */
const always = [
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

/** What a step may import with one capability. */
const withCapability: readonly (readonly [CapabilityName, RegExp])[] = [
  ["http", /^wasi:http\/(types|outgoing-handler)@0\.2\.\d+$/],
  ["config", /^wasi:config\/store@0\.2\.0-(draft|rc\.1)$/],
  ["kv", /^wasi:keyvalue\/(store|atomics|batch)@0\.2\.0-draft2$/],
];

/** Who may have an import: every step, one with a capability, none. */
export type Grant = "always" | CapabilityName | "never";

/**
 * What a step's binary is; or why it can't run: not a component, no entry, an import that these capabilities don't
 * give. Imports that others would give come first, each with its capability.
 */
export function inspectStep(bytes: Uint8Array, capabilities: Capabilities = {}): Inspection | StepFailure {
  const inspection = inspect(bytes);
  if ("code" in inspection) return inspection;
  return refusal(inspection.imports, capabilities) ?? inspection;
}

/** Why a step with these capabilities can't have these imports; nothing when it can. */
export function refusal(
  imports: readonly string[],
  capabilities: Capabilities = {},
): StepFailure | undefined {
  const refused = [...new Set(imports)]
    .map((name) => ({ name, grant: grantOf(name) }))
    .filter(({ grant }) => grant === "never" || (grant !== "always" && capabilities[grant] === undefined));
  if (refused.length === 0) return undefined;
  const named = refused.map(({ name, grant }) =>
    grant === "never" ? name : `${name} (the capability \`${grant}\` gives it)`,
  );
  return failure(
    "ERR_COMPONENT_IMPORT",
    `The component imports what its step was not granted: ${someOf(named, 20)}.`,
  );
}

/** Who may have an import of this name. */
export function grantOf(name: string): Grant {
  if (always.some((pattern) => pattern.test(name))) return "always";
  return withCapability.find(([, pattern]) => pattern.test(name))?.[0] ?? "never";
}

/** The capabilities that change what an import gives a step that may have it: variables, fixed times, a folder. */
export function capabilitiesOf(name: string): readonly CapabilityName[] {
  if (grantOf(name) !== "always") return [];
  if (name === "wasi_snapshot_preview1") return ["env", "seed", "secrets", "tmp"];
  if (name.startsWith("wasi:cli/environment@")) return ["env", "secrets"];
  if (name.startsWith("wasi:filesystem/")) return ["tmp"];
  return /^wasi:(clocks|random)\//.test(name) ? ["seed"] : [];
}
