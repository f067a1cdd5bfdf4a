import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { CapabilityName } from "../../runtime/capabilities.ts";
import { writeAtomically } from "./atomic-file.ts";
import { filesystemPackages, httpPackages } from "./world-packages.ts";

/** What a JavaScript step may ask the host for, by the capability that gives it; a guest imports only what its step uses. */
export const guestCapabilities = ["http", "config", "kv", "tmp"] as const satisfies readonly CapabilityName[];

/** One of them. */
export type GuestCapability = (typeof guestCapabilities)[number];

/** The imports that each of them takes. */
const importsOf: Readonly<Record<GuestCapability, readonly string[]>> = {
  http: [
    "wosi:io/poll@0.2.9",
    "wosi:io/streams@0.2.9",
    "wosi:clocks/monotonic-clock@0.2.9",
    "wosi:http/types@0.2.9",
    "wosi:http/outgoing-handler@0.2.9",
  ],
  config: ["wasi:config/store@0.2.0-draft"],
  kv: [
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft2",
  ],
  tmp: ["wasi:filesystem/types@0.2.12", "wasi:filesystem/preopens@0.2.12"],
};

/** The worlds that JavaScript steps are built against: the step's own, and what the guest's globals stand on. */
function worlds(capabilities: readonly GuestCapability[]): string {
  const imports = capabilities.flatMap((name) => importsOf[name]).map((name) => `  import ${name};\n`);
  return `package millrace:javascript@0.1.0;

world typed {
  import wasi:cli/environment@0.2.12;
  import wasi:clocks/monotonic-clock@0.2.12;
  import wasi:random/random@0.2.12;
${imports.join("")}  include millrace:step/step@0.1.0;
}

world program {
  import wasi:cli/environment@0.2.12;
  import wasi:cli/exit@0.2.12;
  import wasi:cli/stderr@0.2.12;
  import wasi:cli/stdin@0.2.12;
  import wasi:cli/stdout@0.2.12;
  import wasi:clocks/monotonic-clock@0.2.12;
  import wasi:random/random@0.2.12;
${imports.join("")}  export wasi:cli/run@0.2.12;
}
`;
}

/** Those functions of WASI 0.2.12 that the guest calls. The version is that of componentize-qjs's own imports. */
const wasi: Readonly<Record<string, string>> = {
  "io/io": `package wasi:io@0.2.12;

interface error {
  resource error;
}

interface poll {
  resource pollable {
    block: func();
  }
}

interface streams {
  use error.{error};

  variant stream-error {
    last-operation-failed(error),
    closed,
  }

  resource input-stream {
    blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
  }

  resource output-stream {
    blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
  }
}
`,
  "clocks/clocks": `package wasi:clocks@0.2.12;

interface monotonic-clock {
  use wasi:io/poll@0.2.12.{pollable};

  type instant = u64;
  type duration = u64;

  now: func() -> instant;
  subscribe-duration: func(when: duration) -> pollable;
}
`,
  "random/random": `package wasi:random@0.2.12;

interface random {
  get-random-bytes: func(len: u64) -> list<u8>;
}
`,
  "cli/cli": `package wasi:cli@0.2.12;

interface environment {
  get-environment: func() -> list<tuple<string, string>>;
  get-arguments: func() -> list<string>;
}

interface exit {
  exit-with-code: func(status-code: u8);
}

interface stdin {
  use wasi:io/streams@0.2.12.{input-stream};
  get-stdin: func() -> input-stream;
}

interface stdout {
  use wasi:io/streams@0.2.12.{output-stream};
  get-stdout: func() -> output-stream;
}

interface stderr {
  use wasi:io/streams@0.2.12.{output-stream};
  get-stderr: func() -> output-stream;
}

interface run {
  run: func() -> result;
}
`,
};

/** The world of a step, by how it is written. */
export type WorldName = "typed" | "program";

/** All texts of the worlds of a guest with these capabilities, by file below the folder that componentize-qjs reads. */
export function worldFiles(capabilities: readonly GuestCapability[] = []): Readonly<Record<string, string>> {
  const packages = Object.entries({
    ...wasi,
    ...(capabilities.includes("http") && httpPackages),
    ...(capabilities.includes("tmp") && filesystemPackages),
  }).map(([name, text]) => [join("deps", `${name}.wit`), text]);
  return {
    "javascript.wit": worlds(capabilities),
    [join("deps", "millrace-step", "step.wit")]: ownText("step.wit"),
    ...(capabilities.includes("config") && published("wasi-config-0.2.0-draft", ["store", "world"])),
    ...(capabilities.includes("kv") &&
      published("wasi-keyvalue-0.2.0-draft2", ["store", "atomic", "batch", "watch", "world"])),
    ...Object.fromEntries(packages),
  };
}

function ownText(path: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`millrace/wit/${path}`), "utf8");
}

/** Files of a package that is in wit/deps. */
function published(name: string, files: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    files.map((file) => [join("deps", name, `${file}.wit`), ownText(`deps/${name}/${file}.wit`)]),
  );
}

/** Digest of the worlds' texts. */
export function worldDigest(files: Readonly<Record<string, string>>): string {
  return createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
}

/** Writes the worlds below `cache` unless they are there; the folder for componentize-qjs. */
export async function writeWorld(cache: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(cache, `wit-${worldDigest(files)}`);
  const done = join(folder, ".complete");
  try {
    await stat(done);
    return folder;
  } catch {
    // Not there, or begun by a process that was ended: written anew, each file at once.
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeAtomically(join(folder, path), text);
  }
  await writeAtomically(done, "");
  return folder;
}
