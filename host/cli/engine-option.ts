import { Option } from "commander";
import type { EngineChoice } from "../../runtime/wasm/choice.ts";

/** The option of commands that run steps in their own process. */
export function engineOption(): Option {
  return new Option("--engine <engine>", "what runs Wasm steps; auto takes wasmtime where it loads")
    .choices(["auto", "wasmtime", "v8"] satisfies EngineChoice[])
    .default("auto");
}
