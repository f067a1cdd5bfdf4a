import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import {
  countJavascript,
  countTypescript,
  greetJavascript,
  greetTypedJavascript,
  greetTypedTypescript,
  greetTypescript,
  stepTypes,
} from "./steps.ts";

/** What a new project can be written in. */
export const starters = ["js", "ts", "rust", "go", "c", "python", "zig"] as const;

/** One of them. */
export type StarterName = (typeof starters)[number];

/** The steps of a new project: the files by their paths, with forward slashes, and where its two steps begin. */
export interface Starter {
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly greet: string;
  readonly count: string;
}

const extensions: Readonly<Partial<Record<StarterName, string>>> = { python: "py" };

/** The files of a language; `typed`: its first step exports the handler of the typed world. */
export async function starter(language: StarterName, typed: boolean): Promise<Starter> {
  if (language === "js" || language === "ts") return script(language, typed);
  const files = new Map(await filesBelow(join(startersFolder(), language, "plain")));
  if (typed) {
    const overlay = await filesBelow(join(startersFolder(), language, "typed"));
    // The typed step stands where the plain one stood: as a file, or in its folder.
    const places = overlay.map(([path]) => placeOf(path));
    for (const path of files.keys()) if (places.includes(placeOf(path))) files.delete(path);
    for (const [path, text] of overlay) files.set(path, text);
    if (language === "rust") files.set("steps/greet/wit/step.wit", await readFile(wit(), "utf8"));
  }
  const extension = extensions[language] ?? language;
  const pathOf = (name: string): string =>
    files.has(`steps/${name}.${extension}`) ? `steps/${name}.${extension}` : `steps/${name}`;
  return { files: [...files], greet: pathOf("greet"), count: pathOf("count") };
}

function script(language: "js" | "ts", typed: boolean): Starter {
  const isTypescript = language === "ts";
  const [plainGreet, typedGreet, countText] = isTypescript
    ? [greetTypescript, greetTypedTypescript, countTypescript]
    : [greetJavascript, greetTypedJavascript, countJavascript];
  const greet = `steps/greet.${language}`;
  const count = `steps/count.${language}`;
  const files = [
    [greet, typed ? typedGreet : plainGreet],
    [count, countText],
    ...(isTypescript && typed ? ([["steps/millrace-step.d.ts", stepTypes]] as const) : []),
  ] as const;
  return { files, greet, count };
}

/** "steps/greet" for all that belongs to this step. */
function placeOf(path: string): string {
  return path.replace(/^(steps\/[^/.]+).*$/, "$1");
}

/** They are in the package as they are in the repository. */
function startersFolder(): string {
  return join(
    dirname(createRequire(import.meta.url).resolve("millrace/package.json")),
    "host/build/starters",
  );
}

function wit(): string {
  return createRequire(import.meta.url).resolve("millrace/wit/step.wit");
}

async function filesBelow(folder: string): Promise<readonly (readonly [path: string, text: string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths
      .toSorted()
      .map(
        async (path) => [relative(folder, path).replaceAll(sep, "/"), await readFile(path, "utf8")] as const,
      ),
  );
}
