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
  const open = openText(source);
  if (open !== undefined)
    return {
      message: `the text \`${cut(source.slice(open))}\` has no end`,
      offset: open,
      suggestion: `${source}${source[open]}`,
    };
  const rest = source.slice(offset);
  if (rest === "") return { message: "it ends too early", offset };
  const hint = hints.find(([pattern]) => pattern.test(rest))?.[1];
  const message = `it can't be read from \`${cut(rest)}\` on`;
  return { message, offset, ...(hint === undefined ? {} : { suggestion: hint }) };
}

function cut(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** Where a text begins that does not end; the parser complains of something before it. */
function openText(source: string): number | undefined {
  const texts = /"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;
  const found = source.replaceAll(texts, (text) => " ".repeat(text.length)).search(/["']/);
  return found === -1 ? undefined : found;
}
