import type { HostErrorCode } from "../errors.ts";

/** Something wrong with a document, by its JSON pointer; loading adds file, line and column. */
export interface Finding {
  readonly code: HostErrorCode;
  readonly pointer: string;
  readonly message: string;
  /** What the place in the text is: the value (the default), or the key that names it. */
  readonly place?: "key" | "value";
  /** The character of a string value that it is about. */
  readonly character?: number;
  readonly expected?: string;
  readonly suggestion?: string;
}

/** Takes findings; `suggestion` is only worked out while findings are still taken. */
export interface Findings {
  readonly list: readonly Finding[];
  add(finding: Omit<Finding, "suggestion">, suggestion?: () => string | undefined): void;
}

/** Findings that are of use to a person; a document with more of them is not one that somebody wrote. */
export const mostFindings = 1_000;

export function createFindings(): Findings {
  const list: Finding[] = [];
  return {
    list,
    add(finding, suggestion) {
      if (list.length >= mostFindings) return;
      const suggested = suggestion?.();
      list.push(suggested === undefined ? finding : { ...finding, suggestion: suggested });
    },
  };
}
