import { InvalidArgumentError, Option } from "commander";
import type { EngineChoice } from "../../runtime/wasm/choice.ts";

/** The option of commands that run steps in their own process. */
export function engineOption(): Option {
  return new Option("--engine <engine>", "what runs Wasm steps; auto takes wasmtime where it loads")
    .choices(["auto", "wasmtime", "v8"] satisfies EngineChoice[])
    .default("auto");
}

/** The option of the same commands that has them count fuel. */
export function fuelOption(): Option {
  const description = "count what Wasm steps compute, on wasmtime alone, and end an attempt that uses more";
  return new Option("--fuel <n>", description).argParser((text) => {
    const fuel = Number(text);
    if (/^\d+$/.test(text) && fuel > 0 && Number.isSafeInteger(fuel)) return fuel;
    throw new InvalidArgumentError("It must be a whole number from 1 on.");
  });
}
