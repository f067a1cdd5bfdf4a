import { stripVTControlCharacters } from "node:util";

/** Control characters, and those that reorder or hide what stands beside them. */
const unsafe = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text that came from a step or a sender, on one line and without anything that a terminal would obey. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(unsafe, (character) => {
    if (character === "\t") return "  ";
    if (character === "\n") return "⏎";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Cuts a line at `width` characters; the cut shows. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0)).trimEnd()}…`;
}

/** A value as one line of JSON, cut at `width` characters. */
export function preview(value: unknown, width: number): string {
  return shorten(printable(JSON.stringify(value) ?? "null"), width);
}
