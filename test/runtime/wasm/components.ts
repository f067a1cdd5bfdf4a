import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What is put into a shell of test/fixtures/wat. */
interface Parts {
  readonly body: string;
  readonly declarations?: string;
  readonly imports?: string;
  readonly pages?: number;
  readonly authority?: string;
}

/** A component that exports wasi:cli/run and does what `body` says. */
export async function program(body: string, parts: Omit<Parts, "body"> = {}): Promise<Uint8Array> {
  return toComponent(await assemble("program", { ...parts, body }), "program");
}

/** A component of the typed world. */
export async function typed(body: string, parts: Omit<Parts, "body"> = {}): Promise<Uint8Array> {
  return toComponent(await assemble("typed", { ...parts, body }), "typed");
}

/** What a core module can be made for; "calls": a program with all imports that ask the host. */
type World = "program" | "typed" | "calls";

/** A component of one of these worlds from the whole text of its core module. */
export async function embedded(source: string, world: World): Promise<Uint8Array> {
  return toComponent(await parse(source), world);
}

/** A program with wasi:http whose requests go to an authority. */
export async function httpProgram(authority: string, body: string, declarations = ""): Promise<Uint8Array> {
  return toComponent(await assemble("http", { body, declarations, authority }), "calls");
}

/** A core module for WASI preview 1. */
export function command(body: string, parts: Omit<Parts, "body"> = {}): Promise<Uint8Array> {
  return assemble("command", { ...parts, body });
}

/** Any module or component from its text. */
export function wat(source: string): Promise<Uint8Array> {
  return parse(source);
}

/** A component that exports wasi:cli/run, with `imports` in component text and the WAT of its one core module. */
export function component(
  imports: string,
  module = '(func (export "run") (result i32) (i32.const 0))',
): Promise<Uint8Array> {
  return parse(`(component
    ${imports}
    (core module $m ${module})
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))`);
}

/** WAT for a piece of data at 4096. */
export const text = (content: string): string =>
  `(data (i32.const 4096) "${content.replaceAll('"', '\\"')}")`;

/** A program that prints and is done. */
export const printing = (content: string): Promise<Uint8Array> =>
  program(`(call $print (i32.const 4096) (i32.const ${Buffer.byteLength(content)})) (i32.const 0)`, {
    declarations: text(content),
  });

/** The body of a program that copies stdin to stdout. */
export const copyStdin = `
  (local.set $a (call $get-stdin))
  (loop $more
    (call $read (local.get $a) (i64.const 4096) (i32.const 32))
    (if (i32.eqz (i32.load8_u (i32.const 32)))
      (then
        (call $print (i32.load (i32.const 36)) (i32.load (i32.const 40)))
        (br $more))))
  (i32.const 0)`;

/** The sha256 of an artifact, in hex. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function assemble(
  shell: string,
  { body, declarations = "", imports = "", pages = 1, authority = "" }: Parts,
): Promise<Uint8Array> {
  const length = String(authority.length);
  const parts: Record<string, string> = {
    body,
    declarations,
    imports,
    pages: String(pages),
    authority,
    length,
  };
  const source = readFileSync(join(root, `test/fixtures/wat/${shell}.wat`), "utf8");
  const [, module = ""] = source.split(/^(?=\(module)/m);
  return parse(module.replace(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name] ?? ""));
}

/** The worlds of the fixtures, with all packages that they name in one source. */
function worlds(): string {
  return `
    package test:fixtures;
    world program { include wasi:cli/imports@0.2.9; export wasi:cli/run@0.2.9; }
    world typed { include wasi:cli/imports@0.2.9; include millrace:step/step@0.1.0; }
    world calls {
      include wasi:cli/imports@0.2.9;
      include wasi:http/imports@0.2.9;
      include wasi:keyvalue/imports@0.2.0-draft2;
      include wasi:config/imports@0.2.0-draft;
      export wasi:cli/run@0.2.9;
    }
    ${packages()}
  `;
}

/** All packages of wit/ in one source, to stand behind a world. */
export function packages(): string {
  const folders = readdirSync(join(root, "wit/deps"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const paths = [join(root, "wit/step.wit"), ...folders.map(({ name }) => join(root, "wit/deps", name))];
  return paths.map(nested).join("\n");
}

/** A package's files as one package in braces. */
function nested(path: string): string {
  const files = path.endsWith(".wit") ? [path] : readdirSync(path).map((name) => join(path, name));
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const header = /^package ([^;]+);$/m;
  return `package ${header.exec(text)?.[1]} {\n${text.replaceAll(new RegExp(header, "gm"), "")}\n}`;
}

async function toComponent(module: Uint8Array, world: World): Promise<Uint8Array> {
  const embedded = await componentEmbed({
    binary: module,
    witSource: worlds(),
    world,
    features: { tag: "all" },
  });
  return componentNew(embedded, []);
}
