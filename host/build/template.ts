import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { BuildCache } from "./build-cache.ts";
import { bundleGuest, extension, guestFolder } from "./bundle.ts";
import { sha256 } from "./input-snapshot.ts";
import type { Template } from "./snapshots.ts";
import { type GuestName, guestText } from "./guest-name.ts";
import type { Prebuilt } from "./prebuilt.ts";
import { guestCapabilities, worldDigest, worldFiles, writeWorld } from "./world.ts";

/**
 * A guest, which all steps that are written alike and use the same capabilities share. The published package brings it
 * along, so that equal sources give equal components on every machine: componentize-qjs gives other bytes each time. Else
 * it is made once, and kept.
 */
export async function openTemplate(
  guest: GuestName,
  cache: BuildCache,
  prebuilt: Prebuilt,
): Promise<Template> {
  const { world } = guest;
  const published = await prebuilt(guestText(guest));
  if (published !== undefined) return { key: sha256(published), world, bytes: published };
  const source = await bundleGuest(guest);
  const key = sha256(JSON.stringify([await buildersOf(), guestText(guest), source]));
  const kept = await cache.readBytes(key);
  if (kept !== undefined) return { key: sha256(kept), world, bytes: kept };
  const bytes = await makeTemplate(guest, source, cache.folder);
  await cache.put(key, bytes);
  return { key: sha256(bytes), world, bytes };
}

/** Makes a component of a guest; the texts of its world are written below `folder`. */
export async function makeTemplate(
  { world, capabilities }: GuestName,
  source: string,
  folder: string,
): Promise<Uint8Array> {
  const { componentize } = await import("componentize-qjs");
  const witPath = await writeWorld(folder, worldFiles(capabilities));
  const { component } = await componentize({ witPath, world, jsSource: source, sync: true });
  if (!capabilities.includes("http")) return component;
  return Buffer.from(Buffer.from(component).toString("latin1").replaceAll("wosi:", "wasi:"), "latin1");
}

/** What components depend on besides their sources: versions, the worlds, and the guest. */
export async function buildersOf(): Promise<string> {
  const packages = ["componentize-qjs", "esbuild", "millrace"].map(version);
  const texts: [string, string][] = [];
  for (const name of (await readdir(guestFolder, { recursive: true })).toSorted()) {
    if (name.endsWith(extension)) texts.push([name, await readFile(join(guestFolder, name), "utf8")]);
  }
  return [
    worldDigest(worldFiles(guestCapabilities)),
    ...packages,
    sha256(JSON.stringify(texts)).slice(0, 16),
  ].join(" ");
}

function version(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string };
  return `${name}@${manifest.version}`;
}
