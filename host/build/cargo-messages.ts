import { resolve } from "node:path";
import type { Problem } from "../errors.ts";
import type { StepToBuild } from "./languages/language.ts";

/** A line of `cargo build --message-format=json`, as far as it is read. */
export interface CargoLine {
  readonly reason: string;
  readonly message?: {
    readonly level: string;
    readonly message: string;
    readonly code?: { readonly code: string } | null;
    readonly spans: readonly {
      readonly file_name: string;
      readonly line_start: number;
      readonly column_start: number;
      readonly is_primary: boolean;
      readonly label?: string | null;
    }[];
  };
  readonly filenames?: readonly string[];
  readonly target?: { readonly kind: readonly string[] };
}

/** The errors that Cargo told of, and the modules that it made: `cwd` is where its relative paths begin. */
export function cargoMessages(
  lines: readonly CargoLine[],
  { display, file }: StepToBuild,
  cwd: string,
): { readonly problems: readonly Problem[]; readonly modules: readonly string[] } {
  const problems: Problem[] = [];
  const modules: string[] = [];
  for (const { reason, message, filenames = [], target } of lines) {
    const isProgram = target?.kind.some((kind) => kind === "bin" || kind === "cdylib") === true;
    if (reason === "compiler-artifact" && isProgram) {
      modules.push(...filenames.filter((name) => name.endsWith(".wasm")));
    }
    if (reason !== "compiler-message" || message?.level !== "error") continue;
    const span = message.spans.find(({ is_primary: primary }) => primary);
    // It only counts the errors before it.
    if (span === undefined && message.message.startsWith("aborting due to")) continue;
    const code = message.code == null ? "" : ` (${message.code.code})`;
    const label = span?.label == null ? "" : `: ${span.label}`;
    problems.push({
      code: "ERR_BUILD_FAILED",
      message: `${message.message}${label}${code}`,
      file: display(span === undefined ? file : resolve(cwd, span.file_name)),
      ...(span && { line: span.line_start, column: span.column_start }),
    });
  }
  return { problems, modules };
}
