import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "./atomic-file.ts";
import { type InputSnapshot, isCurrent, sha256 } from "./input-snapshot.ts";

/** Counted up when what is kept takes another form. */
const format = 2;

/** Components that are kept though no step uses them any more. */
const kept = 64;

/** A component in the cache. */
export interface CachedComponent {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Absolute. */
  readonly file: string;
}

interface ComponentEntry {
  readonly format: number;
  readonly sha256: string;
  readonly size: number;
}

interface StepEntry {
  readonly format: number;
  readonly builders: string;
  readonly key: string;
  readonly inputs: InputSnapshot;
}

/** Components by what they were built from. What is damaged counts as not there. */
export interface BuildCache {
  /** Folder for files in the making, on the same file system. */
  readonly folder: string;
  /** The component of a step whose inputs are as they were when it was built by the same builders. */
  findStep(file: string, builders: string): Promise<CachedComponent | undefined>;
  /** The files that a step was built from when the same builders built it last, changed or not. */
  inputsOf(file: string, builders: string): Promise<readonly string[] | undefined>;
  find(key: string): Promise<CachedComponent | undefined>;
  /** A component's bytes. */
  readBytes(key: string): Promise<Uint8Array | undefined>;
  /** Keeps a component. */
  put(key: string, bytes: Uint8Array): Promise<CachedComponent>;
  /** Keeps what a step was built from. */
  putStep(file: string, builders: string, key: string, inputs: InputSnapshot): Promise<void>;
  /** Removes the components that were not used for longest. */
  prune(): Promise<void>;
}

/** Opens the cache below a folder, which is made when it is not there. */
export async function openBuildCache(folder: string): Promise<BuildCache> {
  const components = join(folder, "components");
  const steps = join(folder, "steps");
  await mkdir(components, { recursive: true });
  await mkdir(steps, { recursive: true });
  const componentFile = (key: string): string => join(components, `${key}.wasm`);
  const componentEntry = (key: string): string => join(components, `${key}.json`);
  const stepEntry = (file: string): string => join(steps, `${sha256(file).slice(0, 32)}.json`);

  async function read(key: string) {
    const entry = await readJson<ComponentEntry>(componentEntry(key));
    if (entry?.format !== format) return undefined;
    const file = componentFile(key);
    const bytes = await readIfThere(file);
    if (bytes === undefined || sha256(bytes) !== entry.sha256) return undefined;
    await touch(file);
    return { bytes, component: { sha256: entry.sha256, size: bytes.length, file } };
  }

  async function readStep(file: string, builders: string): Promise<StepEntry | undefined> {
    const entry = await readJson<StepEntry>(stepEntry(file));
    return entry?.format === format && entry.builders === builders ? entry : undefined;
  }

  async function find(key: string): Promise<CachedComponent | undefined> {
    return (await read(key))?.component;
  }

  return {
    folder,
    find,
    readBytes: async (key) => (await read(key))?.bytes,
    async findStep(file, builders) {
      const entry = await readStep(file, builders);
      return entry !== undefined && (await isCurrent(entry.inputs)) ? find(entry.key) : undefined;
    },
    inputsOf: async (file, builders) =>
      (await readStep(file, builders))?.inputs.files.map(({ path }) => path),
    async put(key, bytes) {
      const entry: ComponentEntry = { format, sha256: sha256(bytes), size: bytes.length };
      await writeAtomically(componentFile(key), bytes);
      await writeAtomically(componentEntry(key), JSON.stringify(entry));
      return { sha256: entry.sha256, size: entry.size, file: componentFile(key) };
    },
    async putStep(file, builders, key, inputs) {
      const entry: StepEntry = { format, builders, key, inputs };
      await writeAtomically(stepEntry(file), JSON.stringify(entry));
    },
    async prune() {
      const files = (await readdir(components)).filter((name) => name.endsWith(".wasm"));
      if (files.length <= kept) return;
      const used = await Promise.all(
        files.map(async (name) => ({ name, at: await lastUse(join(components, name)) })),
      );
      for (const { name } of used.toSorted((a, b) => b.at - a.at).slice(kept)) {
        await rm(join(components, name), { force: true });
        await rm(join(components, name.replace(/wasm$/, "json")), { force: true });
      }
    },
  };
}

async function lastUse(file: string): Promise<number> {
  try {
    return (await stat(file)).atimeMs;
  } catch {
    return 0;
  }
}

/** Marks a component as used, for `prune`; a cache that can't be written still serves. */
async function touch(file: string): Promise<void> {
  try {
    const { mtime } = await stat(file);
    await utimes(file, (performance.timeOrigin + performance.now()) / 1000, mtime);
  } catch {
    // It is pruned sooner, that is all.
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return (JSON.parse(await readFile(file, "utf8")) ?? undefined) as T | undefined;
  } catch {
    return undefined;
  }
}
