/** `npm run build:wasmtime`: builds the addon of its sources with cargo, unless that was done before. With `-- rust-loop` that too. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { builtBinding, cacheFolder, crate } from "./place.ts";

const libraries: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "libmillrace_wasmtime.dylib",
  win32: "millrace_wasmtime.dll",
};
const windows = process.platform === "win32";

/** Builds one of the crate's targets, and puts it where it is looked for. */
function build(what: readonly string[], file: string, place: string): void {
  if (!existsSync(place)) {
    const target = process.env["CARGO_TARGET_DIR"] ?? join(cacheFolder(process.env), "target");
    const env = { ...process.env, CARGO_TARGET_DIR: target };
    // What cargo says goes to stderr: stdout has the paths.
    const stdio = ["ignore", "inherit", "inherit"] as const;
    execFileSync("cargo", ["build", "--release", "--locked", ...what], {
      cwd: crate,
      env,
      stdio: [...stdio],
    });
    mkdirSync(dirname(place), { recursive: true });
    // In one move: another process may be loading it.
    const temporary = `${place}.${process.pid}`;
    copyFileSync(join(target, "release", file), temporary);
    renameSync(temporary, place);
  }
  process.stdout.write(`${place}\n`);
}

const built = builtBinding(process.env);
if (built === undefined) throw new Error(`there is no crate at ${crate}`);
try {
  build(["--lib"], libraries[process.platform] ?? "libmillrace_wasmtime.so", built);
  if (process.argv.includes("rust-loop")) {
    const file = windows ? "rust-loop.exe" : "rust-loop";
    build(["--bin", "rust-loop"], file, join(dirname(built), file));
  }
} catch (error) {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing
    ? "cargo is not installed (Rust 1.95 or newer is needed)"
    : (error as Error).message.split("\n", 1)[0];
  process.stderr.write(`The Wasmtime engine was not built: ${reason}. Without it, steps run on v8.\n`);
  process.exitCode = 1;
}
