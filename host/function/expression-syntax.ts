import type { ExpressionProblem } from "./expression-tree.ts";

const hints: readonly (readonly [RegExp, string])[] = [
  [/^!?==/, "compare with == or !="],
  [/^=/, "compare with =="],
  [/^and\b/, "write && for and"],
  [/^or\b/, "write || for or"],
  [/^&/, "write && for and, with a value on both sides"],
  [/^\|/, "write || for or, with a value on both sides"],
  [/^\?/, "write condition ? one : other"],
];
const longestShown = 20;

/** Says up to where the parser understood; the commonest slips of other languages get a hint. */
export function describeSyntaxError(source: string, error: unknown): ExpressionProblem {
  if (error instanceof RangeError) return { message: "it nests too deep", offset: 0 };
  const offset = (error as { location?: { start?: { offset?: number } } }).location?.start?.offset;
  if (offset === undefined) return { message: (error as Error).message };
  const rest = source.slice(offset);
  if (rest === "") return { message: "it ends too early", offset };
  const hint = hints.find(([pattern]) => pattern.test(rest))?.[1];
  const shown = rest.length > longestShown ? `${rest.slice(0, longestShown)}…` : rest;
  const message = `it can't be read from \`${shown}\` on`;
  return { message, offset, ...(hint === undefined ? {} : { suggestion: hint }) };
}
