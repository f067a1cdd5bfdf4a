import type { Problem } from "../../../host/errors.ts";
import { loadFunction } from "../../../host/function/load.ts";

/** A sound document, with this in place of or beside its parts. */
export function documentWith(parts: object): string {
  const sound = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { one: { path: "file://./one.ts" } },
  };
  return JSON.stringify({ ...sound, ...parts }, undefined, 2);
}

/** What loading a text complains of; nothing when it loads. */
export function problemsOf(text: string | Uint8Array): readonly Problem[] {
  const loaded = loadFunction(text, { file: "f.json" });
  return loaded.ok ? [] : loaded.problems;
}

/** "CODE /pointer" of each problem, sorted. */
export function pairsOf(text: string | Uint8Array): string[] {
  return problemsOf(text)
    .map(({ code, pointer }) => `${code.replace("ERR_FUNCTION_", "")} ${pointer ?? "-"}`)
    .toSorted();
}
