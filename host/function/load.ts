import { MillraceError, type Problem } from "../errors.ts";
import type { FunctionDocument } from "./document.ts";

/** Where a value stands in its document's text, both 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What loading gave: the document, or all that is wrong with it. */
export type LoadedFunction =
  | {
      readonly ok: true;
      readonly document: FunctionDocument;
      /** The place of the value that a JSON pointer names. */
      positionOf(pointer: string): Position | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a function document. */
export function loadFunction(text: string | Uint8Array, options: { readonly file: string }): LoadedFunction {
  try {
    const document = JSON.parse(
      typeof text === "string" ? text : new TextDecoder().decode(text),
    ) as FunctionDocument;
    return { ok: true, document, positionOf: () => undefined };
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    return {
      ok: false,
      problems: [{ code: "ERR_FUNCTION_JSON", message: (error as Error).message, file: options.file }],
    };
  }
}
