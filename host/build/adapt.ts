import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { MalformedBinary, readBinary, sections } from "../../runtime/wasm/binary.ts";
import type { Problem } from "../errors.ts";

/** The component; or why none could be made of a core module. */
type Adapted =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: Problem };

const tools = "@bytecodealliance/jco-transpile";

/** The world of a core module that brings no description of its own. */
const ownWorld = "package millrace:build;\nworld typed { include millrace:step/step@0.1.0; }\n";

/**
 * Makes a component of a core module that exports the handler of the typed world, as toolchains leave it that make none
 * themselves. What is a component, or a program, stays as it is.
 */
export async function toComponent(bytes: Uint8Array): Promise<Adapted> {
  const module = readModule(bytes);
  if (module === undefined || !module.exports.some((name) => name.startsWith("millrace:step/handler@")))
    return { ok: true, bytes };
  const loaded = await load();
  if (loaded === undefined) {
    const message = `a core module becomes a component of the typed world by ${tools}, which is not installed: npm install --save-dev ${tools}`;
    return { ok: false, problem: { code: "ERR_BUILD_TOOLCHAIN_MISSING", message } };
  }
  try {
    const described = module.described
      ? bytes
      : await loaded.componentEmbed({
          binary: bytes,
          witSource: ownWorld + nested(await readWit("step.wit")),
          world: "typed",
        });
    const adapter = await readFile(fileOf("adapters/wasi_snapshot_preview1.reactor.wasm"));
    return { ok: true, bytes: await loaded.componentNew(described, [["wasi_snapshot_preview1", adapter]]) };
  } catch (error) {
    const message = `the core module is none of the typed world: ${(error as Error).message}`;
    return { ok: false, problem: { code: "ERR_BUILD_FAILED", message } };
  }
}

/** What its exports are called, and whether it says which world it is of. */
function readModule(
  bytes: Uint8Array,
): { readonly exports: readonly string[]; readonly described: boolean } | undefined {
  const isModule = Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  if (!isModule) return undefined;
  const exports: string[] = [];
  let described = false;
  try {
    for (const { id, start, end } of sections(bytes)) {
      const reader = readBinary(bytes, start, end);
      if (id === 0) described ||= reader.name().startsWith("component-type");
      if (id !== 7) continue;
      for (let left = reader.u32(); left > 0; left--) {
        exports.push(reader.name());
        reader.byte();
        reader.u32();
      }
    }
  } catch (error) {
    // Whoever is to run it says better what is wrong.
    if (error instanceof MalformedBinary) return undefined;
    throw error;
  }
  return { exports, described };
}

async function load() {
  try {
    return await import("@bytecodealliance/jco-transpile/wasm-tools");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function fileOf(name: string): string {
  return createRequire(import.meta.url).resolve(`millrace/wit/${name}`);
}

async function readWit(name: string): Promise<string> {
  return readFile(fileOf(name), "utf8");
}

/** A package's text as one package in braces, behind others. */
function nested(text: string): string {
  return text.replace(/^package ([^;]+);$/m, "package $1 {") + "\n}\n";
}
