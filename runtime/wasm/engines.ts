import type { Capabilities } from "../capabilities.ts";
import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { chooseEngine, createEngine } from "./choice.ts";
import type { EngineChoice } from "./choice.ts";
import type { Engine } from "./engine.ts";

/** What executes the steps of one driver. */
export interface Engines {
  /** The engine for a step with these capabilities; why none may run it, else. */
  of(capabilities: Capabilities | undefined): Engine | StepFailure;
  close(): Promise<void>;
}

interface EngineOptions {
  readonly cacheDir: string;
  readonly parallelism?: number;
}

/** The engine that is wanted; with "auto", steps that it lacks something for run on v8, which has everything. */
export function createEngines(wanted: Engine | EngineChoice, options: EngineOptions): Engines {
  const chosen = typeof wanted === "string" ? createEngine(chooseEngine(wanted), options) : wanted;
  let other: Engine | undefined;
  return {
    of(capabilities) {
      if (typeof wanted !== "string" || !lacks(chosen, capabilities)) return chosen;
      if (wanted === "auto") return (other ??= createEngine(chooseEngine("v8"), options));
      const message = "The engine wasmtime, which was asked for by name, has no folder /tmp for a step yet.";
      return failure("ERR_ENGINE_UNAVAILABLE", message);
    },
    async close() {
      await Promise.all([chosen.close(), other?.close()]);
    },
  };
}

/** Wasmtime has no /tmp yet. */
function lacks({ name }: Engine, capabilities: Capabilities | undefined): boolean {
  return name === "wasmtime" && capabilities?.tmp === true;
}
