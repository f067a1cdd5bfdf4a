/**
 * What the release does with the built addons, for .github/workflows/release-wasmtime.yml:
 *
 * - `node packages.ts pack <folder>` makes the package of this platform in a folder of its own below `<folder>`;
 * - `node packages.ts depend <folder>` names all packages that are there in the optionalDependencies of package.json.
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtBinding, platformPackage } from "./place.ts";

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

function depend(packages: string): void {
  const found = readdirSync(packages).map((folder) => manifest(join(packages, folder)));
  const own = manifest(root);
  const others = found.find(({ version }) => version !== own.version);
  if (others !== undefined)
    throw new Error(`${others.name} is of version ${others.version}, not ${own.version}`);
  const optionalDependencies = {
    ...own.optionalDependencies,
    ...Object.fromEntries(found.map(({ name, version }) => [name, version])),
  };
  writeManifest(root, { ...own, optionalDependencies });
  process.stdout.write(`${Object.keys(optionalDependencies).join("\n")}\n`);
}

const [command, folder = ""] = process.argv.slice(2);
if (command === "pack" && folder !== "") pack(folder);
else if (command === "depend" && folder !== "") depend(folder);
else throw new Error("node packages.ts pack|depend <folder>");
