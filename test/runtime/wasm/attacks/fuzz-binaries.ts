import { MalformedBinary } from "../../../../runtime/wasm/binary.ts";
import { inspectStep } from "../../../../runtime/wasm/grants.ts";
import { boundModule } from "../../../../runtime/wasm/v8/bounds.ts";
import { decodeComponent } from "../../../../runtime/wasm/v8/component/decode.ts";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { ExportMismatch, linkStep } from "../../../../runtime/wasm/v8/program.ts";
import { ImportMismatch } from "../../../../runtime/wasm/v8/wasi/wasi.ts";
import { createHarness } from "../harness.ts";
import type { Harness } from "../harness.ts";
import { createEngine } from "../wasmtime/engine.ts";

/** Takes mutated binaries; throws for one that ends in something else than a result or a failure with its code. */
interface Binaries {
  take(bytes: Buffer, number: number): Promise<void>;
  close(): Promise<void>;
}

/** On V8, one binary in so many runs: all that is our own of what happens to it before is in this thread. */
const runEvery = 40;

/** On Wasmtime all of them run, and the files of so many are kept. */
const keptFor = 5_000;

export function binariesOnV8(): Binaries {
  const harness = createHarness(createV8Engine);
  return {
    async take(bytes, number) {
      if (number % runEvery === 0) await attempt(harness, bytes);
      else translate(bytes);
    },
    close: () => harness.close(),
  };
}

export function binariesOnWasmtime(): Binaries {
  let harness = createHarness(createEngine);
  let taken = 0;
  return {
    async take(bytes) {
      await attempt(harness, bytes);
      if (++taken % keptFor !== 0) return;
      await harness.close();
      harness = createHarness(createEngine);
    },
    close: () => harness.close(),
  };
}

/** What happens to a binary on V8 until it is compiled, in this thread. */
function translate(bytes: Buffer): void {
  const inspection = inspectStep(bytes);
  if ("code" in inspection) return;
  try {
    if (inspection.kind === "command") boundModule(bytes);
    else {
      const { component, modules } = decodeComponent(bytes);
      linkStep(component, inspection.mode);
      modules.forEach(boundModule);
    }
  } catch (error) {
    const known = [MalformedBinary, ImportMismatch, ExportMismatch, RangeError];
    if (!known.some((it) => error instanceof it)) throw error;
  }
}

/** Runs a binary from beginning to end. */
async function attempt(harness: Harness, bytes: Buffer): Promise<void> {
  const result = await harness.run(bytes, { limits: { wallMs: 250 } });
  if (result.ok) return;
  const { code, message } = result.failure;
  if (code === "ERR_ENGINE_BROKEN" || /came to an end over it/.test(message)) throw new Error(message);
}
