import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepFailure } from "../../driver.ts";
import type { StepBinary } from "../engine.ts";
import type { CompiledFiles } from "../compiled-files.ts";
import { failure } from "../../failure.ts";
import type { DoneLoading, DoneProgram, Shape } from "./binding.ts";
import type { Compiler } from "./compiler.ts";

/** Where programs come from. */
interface Source {
  /** Asks the native side for a program of its file. */
  load(shape: Shape, path: string): Promise<DoneLoading>;
  readonly compiler: Compiler;
  readonly files: CompiledFiles;
  /** Gives a program up. */
  release(program: number): void;
}

/** Programs in memory, by digest. */
export interface Programs {
  /** The program; why it can't run, else. Those who ask at once share the work. */
  get(binary: StepBinary): Promise<DoneProgram | StepFailure>;
  /** The program where it is there already, so that an attempt need not wait a turn. */
  find(sha256: string): DoneProgram | undefined;
}

/** How much of programs is kept in memory; what was used longest ago goes first. */
export interface Kept {
  /** Compiled code, in bytes. */
  readonly bytes: number;
  /** Memories that instances begin with: each that has content holds a file of the process open. */
  readonly memories: number;
}

interface Entry {
  readonly pending: Promise<DoneProgram | StepFailure>;
  program?: DoneProgram;
}

/** Programs whose compiled code lies in `folder`, a file for each digest and `version` of the engine. */
export function createPrograms(
  folder: string,
  version: string,
  { load, compiler, files, release }: Source,
  kept: Kept,
): Programs {
  // In the order of their last use.
  const entries = new Map<string, Entry>();

  const evict = (): void => {
    let [bytes, memories] = [0, 0];
    for (const { program } of entries.values()) {
      bytes += program?.bytes ?? 0;
      memories += program?.memories ?? 0;
    }
    for (const [sha256, { program }] of entries) {
      if ((bytes <= kept.bytes && memories <= kept.memories) || entries.size === 1) return;
      if (program === undefined) continue;
      entries.delete(sha256);
      release(program.number);
      bytes -= program.bytes;
      memories -= program.memories;
    }
  };

  const build = async (binary: StepBinary): Promise<DoneProgram | StepFailure> => {
    const path = join(folder, `${binary.sha256}-${version}.bin`);
    const shape = binary.kind === "command" ? "command" : binary.mode;
    const found = await load(shape, path);
    if (found.kind !== "absent") {
      await files.used(path);
      return loaded(found);
    }
    const bytes = await binary.load();
    if (bytes === undefined) {
      return failure("ERR_ARTIFACT_MISSING", `The component ${binary.sha256} is not in the store.`);
    }
    const refused = await compiler.compile({ shape, path, binary: bytes });
    if (refused !== undefined) return refused;
    const compiled = await load(shape, path);
    await files.added();
    return loaded(compiled.kind === "absent" ? await elsewhere(shape, bytes) : compiled);
  };

  /** The folder can't be written: the file lies somewhere else for as long as it takes to read it. */
  const elsewhere = async (shape: Shape, binary: Uint8Array): Promise<DoneLoading> => {
    const temporary = await mkdtemp(join(tmpdir(), "millrace-compiled-"));
    try {
      const path = join(temporary, "program.bin");
      await compiler.compile({ shape, path, binary });
      return await load(shape, path);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  };

  const add = (binary: StepBinary): Promise<DoneProgram | StepFailure> => {
    const { sha256 } = binary;
    const pending = build(binary);
    const entry: Entry = { pending };
    entries.set(sha256, entry);
    // Only what works is kept: another try may find the cause gone.
    const settle = (built: DoneProgram | StepFailure | undefined): void => {
      if (built === undefined || "code" in built) entries.delete(sha256);
      else entry.program = built;
      evict();
    };
    pending.then(settle, () => settle(undefined));
    return pending;
  };

  return {
    get(binary) {
      return entries.get(binary.sha256)?.pending ?? add(binary);
    },
    find(sha256) {
      const found = entries.get(sha256);
      if (found?.program === undefined) return undefined;
      entries.delete(sha256);
      entries.set(sha256, found);
      return found.program;
    },
  };
}

function loaded(done: DoneLoading): DoneProgram | StepFailure {
  if (done.kind === "program") return done;
  return done.kind === "refused"
    ? failure(done.code, done.text)
    : failure("ERR_ENGINE_BROKEN", "What was compiled of the component is not there.");
}
