import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Message } from "esbuild";
import type { Problem } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Display } from "./display.ts";
import { filesAdvice, nodeModule, standInAdvice } from "./node-modules.ts";

interface Bundling {
  readonly root: string;
  readonly display: Display;
}

/** esbuild's errors as problems; throws on what is no error of esbuild's. */
export async function bundleProblems(error: unknown, bundling: Bundling): Promise<readonly Problem[]> {
  const { errors } = error as { readonly errors?: readonly Message[] };
  if (errors === undefined) throw error;
  return Promise.all(errors.map((message) => problemOf(message, bundling)));
}

async function problemOf({ text, location, detail }: Message, { root, display }: Bundling): Promise<Problem> {
  const place =
    location === null
      ? {}
      : { file: display(location.file), line: location.line, column: location.column + 1 };
  const unresolved = /^Could not resolve "(.*)"/.exec(text)?.[1];
  if (unresolved !== undefined) {
    const importer = resolve(root, location?.file ?? "");
    return { code: "ERR_BUILD_IMPORT", ...(await unresolvedImport(unresolved, importer)), ...place };
  }
  const [, exporter = "", name = ""] = /^No matching export in "(.*)" for import "(.*)"$/.exec(text) ?? [];
  if (exporter !== "") {
    return { code: "ERR_BUILD_IMPORT", ...missingExport(exporter, name, location?.suggestion), ...place };
  }
  const isImport = detail === "import" || text.startsWith("No loader is configured");
  return { code: isImport ? "ERR_BUILD_IMPORT" : "ERR_BUILD_SYNTAX", message: lowerFirst(text), ...place };
}

type Finding = Pick<Problem, "message" | "suggestion">;

async function unresolvedImport(specifier: string, importer: string): Promise<Finding> {
  if (/^\.{0,2}\//.test(specifier)) {
    const wanted = resolve(dirname(importer), specifier);
    const close = nearest(basename(wanted), await namesIn(dirname(wanted)));
    const message = `the import "${specifier}" leads to no file`;
    return close === undefined
      ? { message }
      : { message, suggestion: specifier.slice(0, specifier.lastIndexOf("/") + 1) + close };
  }
  const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  const close = nearest(name, await packagesAbove(dirname(importer)));
  const message = `the package "${name}" is not installed; npm install ${name}`;
  if (close === name)
    return { message: `the package "${name}" has no "${specifier.slice(name.length + 1) || "."}"` };
  return close === undefined ? { message } : { message, suggestion: close };
}

function missingExport(exporter: string, name: string, suggestion: string | undefined): Finding {
  if (/guest[\\/]files[\\/]\w+\.[jt]s$/.test(exporter))
    return { message: `there is no \`${name}\`. ${filesAdvice}` };
  const standIn = /guest[\\/]node[\\/](\w+)\.[jt]s$/.exec(exporter)?.[1];
  const module = standIn === undefined ? undefined : nodeModule(standIn);
  if (module !== undefined)
    return { message: `there is no \`${name}\`. ${standInAdvice[module] ?? ""}`.trim() };
  const message = `${exporter} exports no \`${name}\``;
  return suggestion === undefined || suggestion === "" ? { message } : { message, suggestion };
}

/** The names of the packages that an import in `folder` could find. */
async function packagesAbove(folder: string): Promise<readonly string[]> {
  const modules = join(folder, "node_modules");
  const names = await namesIn(modules);
  const scoped = await Promise.all(
    names
      .filter((name) => name.startsWith("@"))
      .map(async (scope) => (await namesIn(join(modules, scope))).map((name) => `${scope}/${name}`)),
  );
  const here = [...names, ...scoped.flat()].filter((name) => !name.startsWith("."));
  return folder === dirname(folder) ? here : [...here, ...(await packagesAbove(dirname(folder)))];
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
