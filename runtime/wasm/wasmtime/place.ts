import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The crate; it is there in a checkout, not in the published package. */
export const crate = fileURLToPath(new URL("native", import.meta.url));

/** This platform as the names of packages and files have it: linux-x64-gnu, darwin-arm64. */
function platform(): string {
  const { platform, arch } = process;
  if (platform === "win32") return `${platform}-${arch}-msvc`;
  if (platform !== "linux") return `${platform}-${arch}`;
  return `${platform}-${arch}-${isMusl() ? "musl" : "gnu"}`;
}

/** The package that brings the addon ready-made. */
export function platformPackage(): string {
  return `@millrace/wasmtime-${platform()}`;
}

/** Where what is built of the crate is kept, outside of the checkout: a fresh one finds it again. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME: root = "" } = env;
  // The XDG specification has an empty or relative one ignored.
  return join(isAbsolute(root) ? root : join(homedir(), ".cache"), "millrace", "wasmtime");
}

/** The file that a build of the crate as it is now becomes; undefined where there is no crate. */
export function builtBinding(env: NodeJS.ProcessEnv): string | undefined {
  if (!existsSync(join(crate, "Cargo.lock"))) return undefined;
  return join(cacheFolder(env), sourcesDigest(), `wasmtime.${platform()}.node`);
}

/** The digest of all that the addon is built of. */
function sourcesDigest(): string {
  const files = readdirSync(crate, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:rs|toml|lock)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/](?:target|bin)[\\/]/.test(path.slice(crate.length)));
  const hash = createHash("sha256");
  for (const path of files.toSorted()) {
    hash.update(`${path.slice(crate.length).replaceAll("\\", "/")}\0`).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 16);
}

function isMusl(): boolean {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime === undefined;
}
