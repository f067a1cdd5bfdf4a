/* What a user gets: the package is packed, installed into an empty project elsewhere, and used there. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { builtBinding, platformPackage } from "../runtime/wasm/wasmtime/place.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "millrace-packed-"));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const npx = process.platform === "win32" ? "npx.cmd" : "npx";
/** The commands under test run on the Node that runs this. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };

function step(name: string): void {
  process.stdout.write(`packed: ${name}\n`);
}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed in ${cwd}\n${stdout ?? ""}${stderr ?? ""}`, {
      cause: error,
    });
  }
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not as it must be: ${what}`);
}

function pack(): string {
  const [packed] = JSON.parse(run(npm, ["pack", "--json", "--pack-destination", folder], root)) as {
    filename: string;
    files: { path: string }[];
  }[];
  if (packed === undefined) throw new Error("npm pack said nothing");
  const paths = packed.files.map(({ path }) => path);
  const wanted = [
    "dist/host/cli/millrace.js",
    "dist/host/index.d.ts",
    "wit/step.wit",
    "host/function/function.schema.json",
    "LICENSE",
  ];
  for (const path of wanted) expect(paths.includes(path), `${path} is in the package`);
  for (const path of paths) {
    expect(!/^(?:test|examples|\.ci)\/|\.test\./.test(path), `${path} is not in the package`);
  }
  return join(folder, packed.filename);
}

function install(tarball: string, name = "consumer"): string {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  run(npm, ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], project);
  return project;
}

function useCommands(project: string): void {
  const millrace = (...args: string[]): string => run(npx, ["--no-install", "millrace", ...args], project);
  expect(millrace("--help").includes("Exit codes"), "`millrace --help` prints the exit codes");
  for (const lang of ["js", "ts"]) {
    const name = `hello-${lang}`;
    millrace("init", name, "--lang", lang);
    millrace("build", name);
    const [id] = (
      JSON.parse(millrace("build", name, "--json")) as { functions: { id: string }[] }
    ).functions.map(({ id }) => id);
    const report = JSON.parse(millrace("run", id ?? "", "--project", name, "--json")) as { status: string };
    expect(report.status === "completed", `the function that \`init --lang ${lang}\` makes completes`);
  }
  const doctor = JSON.parse(
    run(npx, ["--no-install", "millrace", "doctor", "--json"], join(project, "hello-ts")),
  ) as { ok: boolean };
  expect(doctor.ok, "`millrace doctor` finds nothing missing");
}

function compileConsumer(project: string): void {
  writeFileSync(
    join(project, "consumer.ts"),
    [
      'import { createHost, MillraceError, type Host } from "millrace";',
      'import schema from "millrace/function.schema.json" with { type: "json" };',
      'const host: Host = await createHost({ store: "memory:", cacheDir: ".cache" });',
      'const refused = await host.publish([{ nme: "x" }]).catch((error: unknown) => error);',
      "await host.close();",
      'if (!(refused instanceof MillraceError) || refused.code !== "ERR_EVENT_INVALID") throw refused;',
      'if (typeof schema.$schema !== "string") throw new Error("no schema");',
      'console.log("used");',
    ].join("\n"),
  );
  // Strict, and with the declarations of the package themselves checked.
  const options = {
    target: "es2024",
    module: "nodenext",
    strict: true,
    skipLibCheck: false,
    resolveJsonModule: true,
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node"],
  };
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }),
  );
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], project);
  expect(run(process.execPath, ["consumer.js"], project).includes("used"), "the compiled consumer runs");
}

/** What `millrace doctor` says of the engine. */
function engineOf(project: string): string {
  const args = ["--no-install", "millrace", "doctor", "--json"];
  const { checks } = JSON.parse(run(npx, args, join(project, "hello-js"))) as {
    checks: { name: string; detail: string }[];
  };
  return checks.find(({ name }) => name === "engine")?.detail ?? "";
}

/** As the release has it: millrace names a package for each platform, of which npm takes this one's. */
function packWithAddons(tarball: string): string {
  run(
    process.execPath,
    [join(root, "runtime/wasm/wasmtime/packages.ts"), "pack", join(folder, "addons")],
    root,
  );
  const own = join(folder, "addons", platformPackage().slice("@millrace/".length));
  const { version } = readManifest(own);
  const elsewhere = join(folder, "addons", "wasmtime-sunos-x64");
  mkdirSync(elsewhere);
  writeManifest(elsewhere, { name: "@millrace/wasmtime-sunos-x64", version, os: ["sunos"] });
  const addons = [own, elsewhere].map((addon) => {
    const [{ filename }] = JSON.parse(run(npm, ["pack", "--json", "--pack-destination", folder], addon)) as [
      { filename: string },
    ];
    return [readManifest(addon).name, `file:${join(folder, filename)}`];
  });
  run("tar", ["-xzf", tarball, "-C", folder], folder);
  const unpacked = join(folder, "package");
  writeManifest(unpacked, { ...readManifest(unpacked), optionalDependencies: Object.fromEntries(addons) });
  const [{ filename }] = JSON.parse(
    run(npm, ["pack", "--json", "--ignore-scripts", "--pack-destination", join(folder, "addons")], unpacked),
  ) as [{ filename: string }];
  return join(folder, "addons", filename);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

function readManifest(of: string): Manifest {
  return JSON.parse(readFileSync(join(of, "package.json"), "utf8")) as Manifest;
}

function writeManifest(of: string, content: object): void {
  writeFileSync(join(of, "package.json"), JSON.stringify(content));
}

function useAddons(tarball: string): void {
  const project = install(packWithAddons(tarball), "consumer-with-addons");
  const name = platformPackage();
  const installed = join(project, "node_modules", name);
  expect(existsSync(installed), `npm installs ${name}`);
  expect(!existsSync(join(project, "node_modules/@millrace/wasmtime-sunos-x64")), "and no other platform's");
  const millrace = (...args: string[]): string => run(npx, ["--no-install", "millrace", ...args], project);
  millrace("init", "hello-js", "--lang", "js");
  millrace("run", "hello-js", "--project", "hello-js", "--engine", "wasmtime", "--json");
  const detail = engineOf(project);
  expect(detail.startsWith("wasmtime, ") && detail.includes(name), `doctor has wasmtime from it: ${detail}`);
  writeManifest(installed, { ...readManifest(installed), version: "0.0.1" });
  const other = engineOf(project);
  expect(/^v8, .*is of version 0\.0\.1/.test(other), `an addon of another version is left: ${other}`);
}

/** A Node from before the oldest supported one, where the machine has one, must say so rather than break. */
function tryOldNode(project: string): void {
  const folders = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((path) => !path.includes("node_modules"));
  for (const path of folders) {
    const node = join(path, "node");
    const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout;
    if (typeof version !== "string" || Number(/^v(\d+)/.exec(version)?.[1] ?? 99) >= 24) continue;
    step(`an old Node (${version.trim()}) is told of`);
    const { status, stderr } = spawnSync(
      node,
      [join(project, "node_modules/millrace/dist/host/cli/millrace.js"), "--help"],
      {
        encoding: "utf8",
      },
    );
    expect(
      status === 2 && stderr.startsWith("millrace: ERR_NODE_VERSION: "),
      `Node ${version} is refused clearly: ${stderr}`,
    );
    return;
  }
}

function check(): void {
  step("pack");
  const tarball = pack();
  step("publint");
  run(process.execPath, [join(root, "node_modules/publint/src/cli.js"), "run", tarball, "--strict"], root);
  step("install into an empty project");
  const project = install(tarball);
  step("init, build, run, doctor");
  useCommands(project);
  step("a TypeScript consumer");
  compileConsumer(project);
  tryOldNode(project);
  const engine = engineOf(project);
  expect(
    engine.startsWith("v8, ") && engine.includes("is not installed"),
    `doctor has v8, and why: ${engine}`,
  );
  if (env["CI"] !== undefined || existsSync(builtBinding(process.env) ?? "")) {
    step(`with ${platformPackage()}`);
    useAddons(tarball);
  } else step("the Wasmtime engine is left out: npm run build:wasmtime has not built it");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  step(`millrace ${version} installs and works`);
}

try {
  check();
} catch (error) {
  process.stderr.write(`packed: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
