import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Metafile, Plugin, TransformOptions } from "esbuild";
import type { HostErrorCode, Problem } from "../errors.ts";
import type { BundleInput } from "./bundle-input.ts";
import { bundleProblems } from "./bundle-problems.ts";
import { bundleEntry, guestImports, type OptionalGlobal, optionalGlobalsIn } from "./bundle-imports.ts";
import type { StepKind } from "./guest/evaluate.ts";
import { hostImports } from "./host-imports.ts";
import { type SourceLines, sourceLines } from "./source-lines.ts";
import type { GuestName } from "./guest-name.ts";
import { fetchProblem } from "./fetch-use.ts";
import type { GuestCapability, WorldName } from "./world.ts";

/** The world of each kind. */
export const worldOf: Readonly<Record<StepKind, WorldName>> = {
  function: "typed",
  handler: "typed",
  program: "program",
};

/** A step with its dependencies. */
export interface Bundle {
  readonly kind: StepKind;
  /** What it asks the host for. */
  readonly capabilities: readonly GuestCapability[];
  /** An expression of a function: it takes what the guest shares with it, and gives the loader of the step's module. */
  readonly code: string;
  readonly lines: SourceLines;
  /** Every file that was read, absolute. */
  readonly inputs: readonly string[];
}

/** What bundling gave. */
export type Bundled =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The guest's files stand beside this one, in the package as in the source tree. */
export const guestFolder = fileURLToPath(new URL("./guest/", import.meta.url));

/** The extension of the guest's files: .ts, or .js in the package. */
export const extension = extname(import.meta.url);

/** Bundles a step. */
export async function bundleStep(input: BundleInput): Promise<Bundled> {
  try {
    const detected = await detectKind(input);
    if (!detected.ok) return detected;
    const bundle = await bundleKind(input, detected.kind);
    const refusal = bundle.namesFetch && (await fetchProblem(input, baseOptions(input)));
    return refusal ? { ok: false, problems: [refusal] } : { ok: true, bundle };
  } catch (error) {
    return { ok: false, problems: await bundleProblems(error, input) };
  }
}

async function bundleKind(
  input: BundleInput,
  kind: StepKind,
): Promise<Bundle & { readonly namesFetch: boolean }> {
  const esbuild = await import("esbuild");
  const used = new Set<GuestCapability>();
  const build = (optional: readonly OptionalGlobal[]) =>
    esbuild.build({
      ...baseOptions(input),
      entryPoints: [{ in: bundleEntry, out: "bundle" }],
      bundle: true,
      metafile: true,
      sourcemap: "inline",
      sourcesContent: false,
      // An outdir gives the map's sources a base.
      outdir: input.root,
      plugins: [
        guestImports({
          guest: guestFolder,
          extension,
          file: input.file,
          program: kind === "program",
          optional,
          grants: input.grants,
          used,
        }),
      ],
      define: { "process.env.NODE_ENV": '"production"' },
    });
  let { outputFiles, metafile } = await build([]);
  const named = withoutMap(outputFiles[0]?.text ?? "");
  const namesFetch = /\bfetch\b/.test(named);
  if (namesFetch && input.grants.includes("http")) used.add("http");
  // StarlingMonkey has them all.
  const optional = input.engine === "starling" ? [] : optionalGlobalsIn(named, used.has("http"));
  if (optional.length > 0) ({ outputFiles, metafile } = await build(optional));
  const { code, map } = await lowerAsync(outputFiles[0]?.text ?? "", {
    format: "iife",
    globalName: "step",
    sourcemap: "external",
    sourcesContent: false,
    sourcefile: join(input.root, "bundle.js"),
  });
  const lines = sourceLines(code, map, { root: input.root, guest: guestFolder });
  const inputs = inputsOf(metafile, input.root);
  // All on the first line, so that the lines stay as they are.
  return {
    kind,
    capabilities: [...used],
    namesFetch,
    code: `(function (__millrace) { "use strict"; ${code}\nreturn step.load; })`,
    lines,
    inputs,
  };
}

/** A guest without a step, as a module for componentize-qjs. */
export async function bundleGuest({ world, capabilities }: GuestName): Promise<string> {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    ...baseOptions({ root: guestFolder }),
    entryPoints: [join(guestFolder, world + extension)],
    bundle: true,
    external: ["millrace:step/*", "wasi:*", "wosi:*"],
    plugins: [hostImports(capabilities)],
  });
  return (await lowerAsync(outputFiles[0]?.text ?? "", { format: "esm" })).code;
}

/** A guest for an engine other than QuickJS, as a module; `world` is the plugin for what it imports. */
export async function bundleEngineGuest(name: string, world: Plugin): Promise<string> {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    ...baseOptions({ root: guestFolder }),
    entryPoints: [join(guestFolder, name + extension)],
    bundle: true,
    plugins: [world],
  });
  return outputFiles[0]?.text ?? "";
}

/** Async functions become generators on promises: those of the guest, which run on a queue of its own, or are watched. */
async function lowerAsync(text: string, options: TransformOptions) {
  const esbuild = await import("esbuild");
  return esbuild.transform(text, {
    ...options,
    target: "es2024",
    supported: { "async-await": false, "async-generator": false, "for-await": false },
    legalComments: "none",
  });
}

function withoutMap(text: string): string {
  return text.slice(0, text.lastIndexOf("//# sourceMappingURL="));
}

/** What all of esbuild's runs have in common. */
function baseOptions({ root }: Pick<BundleInput, "root">) {
  return {
    absWorkingDir: root,
    write: false,
    format: "esm",
    platform: "browser",
    // Conditions of runtimes that are neither Node nor a page.
    conditions: ["worker", "module"],
    target: "es2024",
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    loader: { ".txt": "text", ".html": "text", ".md": "text" },
  } as const satisfies BuildOptions;
}

/** Reads the step's file alone, and tells from its exports what it is. */
async function detectKind(
  input: BundleInput,
): Promise<
  | { readonly ok: true; readonly kind: StepKind }
  | { readonly ok: false; readonly problems: readonly Problem[] }
> {
  const esbuild = await import("esbuild");
  const file = input.display(input.file);
  const refuse = (code: HostErrorCode, message: string) =>
    ({ ok: false, problems: [{ code, message, file }] }) as const;
  // Without a format to convert it to, the file's own exports are told.
  const { format: _, ...options } = baseOptions(input);
  const { outputFiles, metafile } = await esbuild.build({
    ...options,
    entryPoints: [input.file],
    bundle: false,
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    outdir: input.root,
  });
  const text = outputFiles[0]?.text.trim() ?? "";
  const exports = Object.values(metafile.outputs)[0]?.exports ?? [];
  if (text === "") return refuse("ERR_BUILD_EMPTY", "the step's file holds no program");
  if (exports.includes("default") || /\bmodule\.exports\s*=/.test(text))
    return { ok: true, kind: "function" };
  if (exports.includes("handler")) return { ok: true, kind: "handler" };
  if (exports.length === 0 && !/\bexport\s*\*/.test(text)) return { ok: true, kind: "program" };
  const names = exports.map((name) => `\`${name}\``).join(", ") || "what another module exports";
  return refuse(
    "ERR_BUILD_EXPORT",
    `the step exports ${names}, and neither a default function nor \`handler\``,
  );
}

function inputsOf(metafile: Metafile, root: string): readonly string[] {
  return Object.keys(metafile.inputs)
    .filter((path) => !/^[a-z-]+:/.test(path) || /^[a-z]:[\\/]/i.test(path))
    .map((path) => join(root, path));
}
