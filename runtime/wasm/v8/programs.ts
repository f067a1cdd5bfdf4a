import type { StepFailure } from "../../driver.ts";
import type { StepBinary } from "../engine.ts";
import { failure } from "../failure.ts";
import { capMaxima, footprint } from "./bounds.ts";
import type { TranslationCache } from "./cache.ts";
import { readCoreModule } from "./core-module.ts";
import { pageBytes } from "./meter.ts";
import type { Program } from "./protocol.ts";
import type { Translated, Translator } from "./translator.ts";
import { webAssembly } from "./webassembly.ts";

/** Compiled programs by digest and memory limit. */
export interface Programs {
  /** The program, ready to be loaded by a worker; why it can't run, else. Those who ask at once share the work. */
  get(binary: StepBinary, memoryBytes: number): Promise<Program | StepFailure>;
}

/** Compiled code is kept up to this many bytes of WebAssembly; what was used longest ago goes first. */
const keptBytes = 512 * 1024 * 1024;

export function createPrograms(cache: TranslationCache, translator: Translator): Programs {
  const translating = new Map<string, Promise<Translated | StepFailure>>();
  const programs = new Map<string, { readonly program: Promise<Program | StepFailure>; weight: number }>();

  const translated = (binary: StepBinary): Promise<Translated | StepFailure> => {
    const found = translating.get(binary.sha256);
    if (found !== undefined) return found;
    const work = translate(binary, cache, translator).finally(() => translating.delete(binary.sha256));
    translating.set(binary.sha256, work);
    return work;
  };

  const build = async (
    binary: StepBinary,
    key: string,
    memoryBytes: number,
  ): Promise<Program | StepFailure> => {
    const source = await translated(binary);
    if ("code" in source) return source;
    const { kind, mode } = binary;
    const footprints = source.modules.map((bytes) => footprint(readCoreModule(bytes)));
    const declared = footprints.reduce((sum, { pages }) => sum + pages, 0) * pageBytes;
    if (declared > memoryBytes) {
      const message = `The component begins with ${declared} bytes of memory, over the limit of ${memoryBytes}.`;
      return failure("ERR_STEP_MEMORY", message);
    }
    const modules = await Promise.all(
      source.modules.map(async (bytes, index) => ({
        module: await webAssembly.compile(capMaxima(bytes, Math.floor(memoryBytes / pageBytes))),
        footprint: footprints[index] ?? { pages: 0, tableElements: 0 },
      })),
    );
    const entry = programs.get(key);
    if (entry !== undefined) {
      entry.weight = source.component.length + source.modules.reduce((sum, { length }) => sum + length, 0);
    }
    evict();
    return { key, kind, mode, component: source.component, modules };
  };

  const evict = (): void => {
    let total = 0;
    for (const { weight } of programs.values()) total += weight;
    for (const [key, { weight }] of programs) {
      if (total <= keptBytes || programs.size === 1) return;
      programs.delete(key);
      total -= weight;
    }
  };

  return {
    get(binary, memoryBytes) {
      const key = `${binary.sha256}-${memoryBytes}`;
      const found = programs.get(key);
      if (found !== undefined) {
        programs.delete(key);
        programs.set(key, found);
        return found.program;
      }
      const program = build(binary, key, memoryBytes);
      programs.set(key, { program, weight: 0 });
      // Only what works is kept: another try may find the cause gone.
      const forget = (): void => void programs.delete(key);
      program.then((result) => "code" in result && forget(), forget);
      return program;
    },
  };
}

async function translate(
  binary: StepBinary,
  cache: TranslationCache,
  translator: Translator,
): Promise<Translated | StepFailure> {
  const cached = await cache.read(binary.sha256);
  if (cached !== undefined) return cached;
  const bytes = await binary.load();
  if (bytes === undefined)
    return failure("ERR_ARTIFACT_MISSING", `The component ${binary.sha256} is not in the store.`);
  const answer = await translator.translate({ kind: binary.kind, mode: binary.mode, bytes });
  if (!answer.ok)
    return failure("ERR_COMPONENT_INVALID", `The component can't be compiled: ${answer.message}`);
  await cache.write(binary.sha256, answer);
  return answer;
}
