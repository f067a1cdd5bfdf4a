import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";

/** Folders of a program that hold what was made of it, or what others made. */
const ignored = new Set(["node_modules", "target", "zig-out", "zig-cache", "__pycache__", "venv"]);

/** All files of a step: itself, or what is in its folder and below it, without what tools put there. */
export async function filesOf(file: string): Promise<readonly string[]> {
  if (!(await stat(file)).isDirectory()) return [file];
  const entries = await readdir(file, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(file, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && !ignored.has(entry.name)) found.push(...(await filesOf(path)));
  }
  return found;
}

/** Those files that have one of these extensions. */
export function withExtension(files: readonly string[], extensions: readonly string[]): readonly string[] {
  return files.filter((file) => extensions.includes(extname(file)));
}

/** The export of a typed step, as it is called in a core module. */
const typedExport = "millrace:step/handler@0.1.0#run";

/** Whether sources export the handler of the typed world: what they name is what the linker is to export. */
export async function exportsHandler(files: readonly string[]): Promise<boolean> {
  for (const file of files) if ((await readFile(file, "utf8")).includes(typedExport)) return true;
  return false;
}

/** The file of a folder that begins a program: main.x, index.x or one that is called like the folder. */
export function entryOf(folder: string, files: readonly string[]): string | undefined {
  const names = ["main", "index", basename(folder)];
  return names.flatMap((name) => files.filter((file) => basename(file, extname(file)) === name))[0];
}
