/**
 * What the release does with the built addons, for .github/workflows/release.yml:
 *
 * - `node packages.ts pack <folder>` makes the package of this platform in a folder of its own below `<folder>`;
 * - `node packages.ts depend <folder> [<project>]` names all packages that are there in the optionalDependencies of
 *   package.json, and refuses to where one of the platforms lacks.
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtBinding, platformPackage } from "./place.ts";

/** The packages of a release, one a platform. */
const platforms = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-x64-msvc",
];

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function writeManifest(folder: string, content: object): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(content, undefined, 2)}\n`);
}

function pack(out: string): void {
  const built = builtBinding(process.env);
  if (built === undefined) throw new Error("there is no crate to pack an addon of");
  const name = platformPackage();
  const [os, cpu, libc] = name.slice("@millrace/wasmtime-".length).split("-");
  const { version, license, engines } = manifest(root);
  const folder = join(out, name.slice("@millrace/".length));
  mkdirSync(folder, { recursive: true });
  copyFileSync(built, join(folder, "wasmtime.node"));
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  writeManifest(folder, {
    name,
    version,
    description: "The Wasmtime engine of millrace, built for one platform.",
    license,
    os: [os],
    cpu: [cpu],
    ...(os === "linux" && { libc: [libc === "musl" ? "musl" : "glibc"] }),
    engines,
    main: "wasmtime.node",
    files: ["wasmtime.node"],
  });
  process.stdout.write(`${folder}\n`);
}

function depend(packages: string, project: string): void {
  const found = readdirSync(packages).map((folder) => manifest(join(packages, folder)));
  const own = manifest(project);
  const lacking = platforms.filter((platform) =>
    found.every(({ name }) => name !== `@millrace/wasmtime-${platform}`),
  );
  if (lacking.length > 0) throw new Error(`there is no package for ${lacking.join(", ")}`);
  const others = found.find(({ version }) => version !== own.version);
  if (others !== undefined)
    throw new Error(`${others.name} is of version ${others.version}, not ${own.version}`);
  const optionalDependencies = {
    ...own.optionalDependencies,
    ...Object.fromEntries(found.map(({ name, version }) => [name, version])),
  };
  writeManifest(project, { ...own, optionalDependencies });
  process.stdout.write(`${Object.keys(optionalDependencies).join("\n")}\n`);
}

const [command, folder = "", project = root] = process.argv.slice(2);
if (command === "pack" && folder !== "") pack(folder);
else if (command === "depend" && folder !== "") depend(folder, project);
else throw new Error("node packages.ts pack <folder>, or node packages.ts depend <folder> [<project>]");
