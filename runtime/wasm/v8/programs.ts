import type { StepFailure } from "../../driver.ts";
import type { StepBinary } from "../engine.ts";
import { failure } from "../../failure.ts";
import type { TranslationCache } from "./cache.ts";
import { pageBytes } from "./meter.ts";
import type { Program } from "./protocol.ts";
import type { Translated, Translator } from "./translator.ts";
import { webAssembly } from "./webassembly.ts";

/** Compiled programs by digest. */
export interface Programs {
  /** The program, ready to be loaded by a worker; why it can't run, else. Those who ask at once share the work. */
  get(binary: StepBinary): Promise<Program | StepFailure>;
}

/** Compiled code is kept up to this many bytes of WebAssembly; what was used longest ago goes first. */
const keptBytes = 512 * 1024 * 1024;

interface Entry {
  readonly program: Promise<Program | StepFailure>;
  /** In bytes, once it is known. */
  weight: number;
}

export function createPrograms(cache: TranslationCache, translator: Translator): Programs {
  // In the order of their last use.
  const entries = new Map<string, Entry>();

  const evict = (): void => {
    let total = 0;
    for (const { weight } of entries.values()) total += weight;
    for (const [sha256, { weight }] of entries) {
      if (total <= keptBytes || entries.size === 1) return;
      entries.delete(sha256);
      total -= weight;
    }
  };

  const add = (binary: StepBinary): Promise<Program | StepFailure> => {
    const { sha256 } = binary;
    const program = build(binary, cache, translator);
    const entry: Entry = { program, weight: 0 };
    entries.set(sha256, entry);
    // Only what works is kept: another try may find the cause gone.
    const settle = (built: Program | StepFailure | undefined): void => {
      if (built === undefined || "code" in built) entries.delete(sha256);
      else entry.weight = built.bytes;
      evict();
    };
    program.then(settle, () => settle(undefined));
    return program;
  };

  return {
    get(binary) {
      const found = entries.get(binary.sha256);
      if (found === undefined) return add(binary);
      entries.delete(binary.sha256);
      entries.set(binary.sha256, found);
      return found.program;
    },
  };
}

async function build(
  binary: StepBinary,
  cache: TranslationCache,
  translator: Translator,
): Promise<Program | StepFailure> {
  const translated = (await cache.read(binary.sha256)) ?? (await translate(binary, cache, translator));
  if ("code" in translated) return translated;
  const { component, modules } = translated;
  try {
    const compiled = await Promise.all(
      modules.map(async ({ bytes, footprint }) => ({ module: await webAssembly.compile(bytes), footprint })),
    );
    return {
      key: binary.sha256,
      kind: binary.kind,
      mode: binary.mode,
      component,
      modules: compiled,
      bytes: modules.reduce((sum, { bytes }) => sum + bytes.length, component.length),
      declaredBytes:
        pageBytes *
        modules.flatMap(({ footprint }) => footprint.memories).reduce((sum, { minimum }) => sum + minimum, 0),
    };
  } catch (error) {
    return failure(
      "ERR_COMPONENT_INVALID",
      `A core module of the component is not valid: ${(error as Error).message}.`,
    );
  }
}

async function translate(
  binary: StepBinary,
  cache: TranslationCache,
  translator: Translator,
): Promise<Translated | StepFailure> {
  const bytes = await binary.load();
  if (bytes === undefined) {
    return failure("ERR_ARTIFACT_MISSING", `The component ${binary.sha256} is not in the store.`);
  }
  const answer = await translator.translate({ kind: binary.kind, mode: binary.mode, bytes });
  if (!answer.ok) return failure(answer.code, answer.message);
  await cache.write(binary.sha256, answer);
  return answer;
}
