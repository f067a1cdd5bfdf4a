/** `npm run build:wasmtime`: builds the addon of its sources with cargo, unless that was done before. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { builtBinding, cacheFolder, crate } from "./place.ts";

const library: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "libmillrace_wasmtime.dylib",
  win32: "millrace_wasmtime.dll",
};

const built = builtBinding(process.env);
if (built === undefined) throw new Error(`there is no crate at ${crate}`);
const target = process.env["CARGO_TARGET_DIR"] ?? join(cacheFolder(process.env), "target");
const wanted = process.argv.slice(2);
if (!existsSync(built) || wanted.length > 0) {
  const args = ["build", "--release", "--locked", "--lib", ...wanted];
  try {
    execFileSync("cargo", args, {
      cwd: crate,
      stdio: "inherit",
      env: { ...process.env, CARGO_TARGET_DIR: target },
    });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = missing
      ? "cargo is not installed (Rust 1.95 or newer is needed)"
      : "cargo could not build it";
    process.stderr.write(`The Wasmtime engine was not built: ${reason}. Without it, steps run on v8.\n`);
    process.exit(1);
  }
  mkdirSync(dirname(built), { recursive: true });
  // In one move: another process may be loading it.
  const temporary = `${built}.${process.pid}`;
  copyFileSync(join(target, "release", library[process.platform] ?? "libmillrace_wasmtime.so"), temporary);
  renameSync(temporary, built);
}
process.stdout.write(`${built}\n`);
