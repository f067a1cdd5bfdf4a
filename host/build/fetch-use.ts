import { SourceMap } from "node:module";
import { resolve } from "node:path";
import type { BuildOptions } from "esbuild";
import type { Problem } from "../errors.ts";
import type { BundleInput } from "./bundle-input.ts";

/** What stands for fetch where it is the global, and no name of the step's own. */
const mark = "millrace_global_fetch";

/**
 * What is wrong where a step's own files call fetch without the capability for it. What its packages do is not known
 * before it runs, nor what code does that looks first whether fetch is there: both get a rejected promise.
 */
export async function fetchProblem(
  { root, file, display, grants }: BundleInput,
  options: BuildOptions,
): Promise<Problem | undefined> {
  if (grants.includes("http")) return undefined;
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    ...options,
    entryPoints: [file],
    bundle: true,
    write: false,
    sourcemap: "external",
    sourcesContent: false,
    outdir: root,
    packages: "external",
    define: { fetch: mark, "globalThis.fetch": mark },
  });
  const [map = "", code = ""] = outputFiles
    .toSorted((a) => (a.path.endsWith(".map") ? -1 : 1))
    .map(({ text }) => text);
  const looksFirst = new RegExp(`typeof ${mark}|${mark}\\?\\.`);
  if (!code.includes(mark) || looksFirst.test(code)) return undefined;
  const before = code.slice(0, code.indexOf(mark)).split("\n");
  const payload = JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0];
  const entry = new SourceMap(payload).findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  const place =
    "originalSource" in entry
      ? {
          file: display(resolve(root, entry.originalSource)),
          line: entry.originalLine + 1,
          column: entry.originalColumn + 1,
        }
      : { file: display(file) };
  const message =
    "fetch takes the capability `http`, which the step was not granted: name the hosts that it may call in the step's `capabilities.http`";
  return { code: "ERR_BUILD_IMPORT", message, ...place };
}
