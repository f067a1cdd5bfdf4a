import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import type { Binding } from "./binding.ts";
import { builtBinding, platformPackage } from "./place.ts";

/** The addon, or why there is none. */
export type LoadedBinding =
  | { readonly ok: true; readonly binding: Binding; readonly from: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Finds the addon: the file that MILLRACE_WASMTIME_BINDING names; what `npm run build:wasmtime` built of these sources;
 * the platform's package, which must be of this version.
 */
export function loadBinding(env: NodeJS.ProcessEnv = process.env): LoadedBinding {
  const require = createRequire(import.meta.url);
  const attempt = (from: string): LoadedBinding => {
    try {
      return { ok: true, binding: require(from) as Binding, from };
    } catch (error) {
      return { ok: false, reason: `${from} can't be loaded: ${(error as Error).message.split("\n", 1)[0]}` };
    }
  };
  const named = env["MILLRACE_WASMTIME_BINDING"];
  if (named !== undefined && named !== "") return attempt(named);
  const built = builtBinding(env);
  if (built !== undefined && existsSync(built)) return attempt(built);
  const prebuilt = platformPackage();
  try {
    require.resolve(prebuilt);
  } catch {
    const build = built === undefined ? "" : ", and `npm run build:wasmtime` has not built these sources";
    return { ok: false, reason: `${prebuilt} is not installed${build}` };
  }
  const { version: own } = require("millrace/package.json") as { readonly version: string };
  const { version } = require(`${prebuilt}/package.json`) as { readonly version: string };
  if (version === own) return attempt(prebuilt);
  return { ok: false, reason: `${prebuilt} is of version ${version}, and millrace of version ${own}` };
}
