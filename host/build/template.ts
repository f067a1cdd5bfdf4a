import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { BuildCache } from "./build-cache.ts";
import { bundleGuest, extension, guestFolder } from "./bundle.ts";
import { sha256 } from "./input-snapshot.ts";
import type { Template } from "./snapshots.ts";
import { worldDigest, worldFiles, type WorldName, writeWorld } from "./world.ts";

/** Where the published package has the templates, by world. */
export const prebuiltFolder = new URL("./prebuilt/", import.meta.url);

/**
 * The guest of a world, which all of its steps share. The published package brings it along, so that equal sources
 * give equal components on every machine: componentize-qjs gives other bytes each time. Else it is made once, and kept.
 */
export async function openTemplate(world: WorldName, cache: BuildCache): Promise<Template> {
  const prebuilt = await readIfThere(new URL(`${world}.wasm`, prebuiltFolder));
  if (prebuilt !== undefined) return { key: sha256(prebuilt), world, bytes: prebuilt };
  const source = await bundleGuest(world);
  const key = sha256(JSON.stringify([await buildersOf(), world, source]));
  const kept = await cache.readBytes(key);
  if (kept !== undefined) return { key: sha256(kept), world, bytes: kept };
  const bytes = await makeTemplate(world, source, cache.folder);
  await cache.put(key, bytes);
  return { key: sha256(bytes), world, bytes };
}

/** Makes a component of a guest; the texts of its world are written below `folder`. */
export async function makeTemplate(world: WorldName, source: string, folder: string): Promise<Uint8Array> {
  const { componentize } = await import("componentize-qjs");
  const witPath = await writeWorld(folder, worldFiles());
  const { component } = await componentize({ witPath, world, jsSource: source, sync: true });
  return component;
}

/** What components depend on besides their sources: versions, the worlds, and the guest. */
export async function buildersOf(): Promise<string> {
  const packages = ["componentize-qjs", "esbuild", "millrace"].map(version);
  const texts: [string, string][] = [];
  for (const name of (await readdir(guestFolder, { recursive: true })).toSorted()) {
    if (name.endsWith(extension)) texts.push([name, await readFile(join(guestFolder, name), "utf8")]);
  }
  return [worldDigest(worldFiles()), ...packages, sha256(JSON.stringify(texts)).slice(0, 16)].join(" ");
}

function version(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return `${name}@${manifest.version}`;
}

async function readIfThere(file: URL): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}
