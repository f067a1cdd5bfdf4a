import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Limits } from "../../../../runtime/limits.ts";
import type { Engine } from "../../../../runtime/wasm/engine.ts";
import { inspectStep } from "../../../../runtime/wasm/grants.ts";
import { cacheFolder } from "../../../cache-folder.ts";
import { digest } from "../components.ts";
import { stepInput } from "../harness.ts";
import type { SuitePackage } from "./packages.ts";

/** What became of the tests of one package, by their names. */
export interface Outcome {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** The last that the program said, to see why it ended early. */
  readonly tail: string;
}

/** Tests of Go's own standard library, as preview 1 commands. */
export interface GoSuite {
  /** Of Go, as it names itself. */
  readonly version: string;
  /** The command of a package. */
  binary(name: string): Uint8Array;
}

/** Go is there, and can build for WASI preview 1 (1.21 or newer); undefined: it can't. */
export function findGo(): string | undefined {
  try {
    const version = execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim();
    const [, minor = "0"] = /^go1\.(\d+)/.exec(version) ?? [];
    return Number(minor) >= 21 ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Where the folder /tmp of the guest has what the tests look for: a tree of Go's, as far as they need it. */
const goroot = "/tmp/go";

/** Of Go's root: the tests of os look at them as at files that every system has. */
const rootFiles = ["go.env", "LICENSE", "CONTRIBUTING.md", "VERSION", "README.md"];

const limits: Limits = {
  wallMs: 120_000,
  memoryBytes: 1024 * 1024 * 1024,
  outputBytes: 64 * 1024 * 1024,
  logBytes: 8 * 1024 * 1024,
  tmpBytes: 64 * 1024 * 1024,
  httpConcurrent: 1,
  httpBodyBytes: 1,
};

/** Builds the test commands of packages with one more file in each; they are kept by Go's version and that file. */
export async function buildGoSuite(version: string, packages: readonly SuitePackage[]): Promise<GoSuite> {
  const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  const sources = packages.map(({ name, besides = [] }) => ({
    name,
    source: addition(root, name),
    besides: [...rootFiles, ...besides].filter((file) => existsSync(join(root, file))),
  }));
  const key = createHash("sha256")
    .update(JSON.stringify([version, sources]))
    .digest("hex")
    .slice(0, 16);
  const folder = join(cacheFolder(), "conformance", key);
  if (!existsSync(folder)) await build(root, sources, folder);
  return { version, binary: (name) => readFileSync(join(folder, `${name.replaceAll("/", "-")}.wasm`)) };
}

interface Source {
  readonly name: string;
  readonly source: string;
  /** Files of Go's root that lie in the guest's. */
  readonly besides: readonly string[];
}

async function build(root: string, sources: readonly Source[], folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    for (const { name, source, besides } of sources) {
      const file = join(work, `${name.replaceAll("/", "-")}_test.go`);
      writeFileSync(file, source);
      const own = join(root, "src", name);
      const overlay: Record<string, string> = { [join(own, "zz_millrace_test.go")]: file };
      for (const file of besides) overlay[join(own, "zz_goroot", file)] = join(root, file);
      const overlayFile = join(work, "overlay.json");
      writeFileSync(overlayFile, JSON.stringify({ Replace: overlay }));
      const output = join(work, `${name.replaceAll("/", "-")}.wasm`);
      const args = [
        "test",
        "-c",
        "-tags=timetzdata",
        `-overlay=${overlayFile}`,
        "-ldflags=-s -w",
        "-o",
        output,
        name,
      ];
      const env = { ...process.env, GOOS: "wasip1", GOARCH: "wasm", CGO_ENABLED: "0", GOFLAGS: "" };
      await promisify(execFile)("go", args, { env });
    }
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * A file for a package's tests: gives them their flags, which a step can't, and lays out their sources and test data in
 * the working folder, as they are where Go runs them.
 */
function addition(root: string, name: string): string {
  const embeds = [
    "*.go",
    "all:zz_goroot",
    ...(existsSync(join(root, "src", name, "testdata")) ? ["all:testdata"] : []),
  ];
  return `package ${basename(name)}_test

import (
	zzembed "embed"
	zzfs "io/fs"
	zzos "os"
	zzpath "path"
	zzstrings "strings"
)

//go:embed ${embeds.join(" ")}
var zzFiles zzembed.FS

func init() {
	zzos.Args = append(zzos.Args[:1], "-test.v", "-test.short", "-test.run=^Test")
	folder := "${goroot}/src/${name}"
	zzos.MkdirAll(folder, 0o755)
	err := zzfs.WalkDir(zzFiles, ".", func(file string, entry zzfs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := zzFiles.ReadFile(file)
		if err != nil {
			return err
		}
		to := zzpath.Join(folder, file)
		if rest, ok := zzstrings.CutPrefix(file, "zz_goroot"); ok {
			to = zzpath.Join("${goroot}", rest)
		}
		zzos.MkdirAll(zzpath.Dir(to), 0o755)
		return zzos.WriteFile(to, text, 0o644)
	})
	if err != nil {
		panic(err)
	}
	zzos.Chdir(folder)
}
`;
}

/** Runs the tests of a package in one attempt. */
export async function runPackage(
  engine: Engine,
  suite: GoSuite,
  { name, seeded }: SuitePackage,
): Promise<Outcome> {
  const bytes = suite.binary(name);
  const env = { GOROOT: goroot, TMPDIR: "/tmp" };
  const capabilities = { tmp: true, env, ...(seeded && { seed: "1" }) } as const;
  const inspection = inspectStep(bytes, capabilities);
  if ("code" in inspection) throw new Error(inspection.message);
  const binary = { ...inspection, sha256: digest(bytes), load: () => Promise.resolve(bytes) };
  const { ending, logs } = await engine.execute(binary, { input: stepInput(), limits, capabilities });
  const stdout = ending.kind === "exited" ? ending.stdout : JSON.stringify(ending);
  const text = [stdout, ...logs.map(({ message }) => message)].join("\n");
  const named = (result: string): readonly string[] =>
    [...text.matchAll(new RegExp(`^--- ${result}: (\\w+)`, "gm"))].map(([, test = ""]) => test).toSorted();
  return { passed: named("PASS"), failed: named("FAIL"), skipped: named("SKIP"), tail: text.slice(-2_000) };
}
