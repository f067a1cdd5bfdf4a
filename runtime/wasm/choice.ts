import type { Engine } from "./engine.ts";
import { createV8Engine } from "./v8/engine.ts";
import type { Binding } from "./wasmtime/binding.ts";
import { createWasmtimeEngine } from "./wasmtime/engine.ts";
import { loadBinding } from "./wasmtime/load.ts";

/** The engine that is wanted; "auto" takes wasmtime where it loads, and v8 else. */
export type EngineChoice = "auto" | "wasmtime" | "v8";

/** The engine that was wanted can't be had here. */
class EngineUnavailable extends Error {
  readonly code = "ERR_ENGINE_UNAVAILABLE";
}

/** The engine that it comes to, and why. */
export type ChosenEngine = { readonly why: string } & (
  | { readonly name: "v8" }
  | { readonly name: "wasmtime"; readonly binding: Binding; readonly addon: string }
);

/** Decides for an engine. Throws ERR_ENGINE_UNAVAILABLE when the one that is named does not load. */
export function chooseEngine(choice: EngineChoice, env: NodeJS.ProcessEnv = process.env): ChosenEngine {
  if (choice === "v8") return { name: "v8", why: "as asked" };
  const loaded = loadBinding(env);
  if (loaded.ok) {
    const why = choice === "auto" ? `loaded from ${loaded.from}` : `as asked, from ${loaded.from}`;
    return { name: "wasmtime", binding: loaded.binding, addon: loaded.from, why };
  }
  if (choice === "auto") return { name: "v8", why: `wasmtime is not there: ${loaded.reason}` };
  throw new EngineUnavailable(`The engine wasmtime can't be used: ${loaded.reason}.`);
}

/** Makes the engine that was decided for. Throws ERR_ENGINE_UNAVAILABLE when it can't count the fuel that it is to. */
export function createEngine(
  chosen: ChosenEngine,
  options: { readonly cacheDir: string; readonly parallelism?: number; readonly fuel?: number },
): Engine {
  const { cacheDir, parallelism, fuel } = options;
  if (chosen.name === "v8") {
    if (fuel === undefined) return createV8Engine(options);
    throw new EngineUnavailable(`Fuel is counted on wasmtime alone, and the engine is v8: ${chosen.why}.`);
  }
  const { binding, addon } = chosen;
  return createWasmtimeEngine({
    binding,
    addon,
    cacheDir,
    ...(parallelism !== undefined && { parallelism }),
    ...(fuel !== undefined && { fuel }),
  });
}
