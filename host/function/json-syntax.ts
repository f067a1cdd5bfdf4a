import { type ParseError, printParseErrorCode } from "jsonc-parser";

/** What is wrong with the form of a JSON text, and where. */
export interface FormError {
  readonly offset: number;
  readonly message: string;
  /** A comment or a trailing comma: the parser knows exactly what was meant, and goes on rightly. */
  readonly harmless: boolean;
}

const messages: Readonly<Record<string, string>> = {
  InvalidCommentToken: "comments are not JSON; remove it, or move it into `description`",
  UnexpectedEndOfComment: "comments are not JSON; remove it, or move it into `description`",
  PropertyNameExpected: "a key in double quotes is expected here",
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here, behind the key",
  CommaExpected: "a comma is expected here",
  CloseBraceExpected: "a } is missing here",
  CloseBracketExpected: "a ] is missing here",
  EndOfFileExpected: "the document has ended before this; remove what follows",
  UnexpectedEndOfString: 'the string does not end on its line; a " is missing',
  UnexpectedEndOfNumber: "the number is not complete",
  InvalidNumberFormat: "the number is not complete",
  InvalidUnicode: String.raw`behind \u, four hex digits are expected`,
  InvalidEscapeCharacter: String.raw`JSON knows no such escape; a backslash itself is written \\`,
  InvalidCharacter: String.raw`a control character is written as an escape, such as \n or \t`,
};

/** A text with more is not one that somebody wrote. */
const mostErrors = 100;

/** Puts the parser's errors into words: all harmless ones, and the first of the others. */
export function describeSyntaxErrors(text: string, errors: readonly ParseError[]): readonly FormError[] {
  const described: FormError[] = [];
  let broken = false;
  for (const error of errors) {
    // The parser says of one trailing comma that both a key and a value are missing.
    if (described.at(-1)?.offset === error.offset) continue;
    if (described.length === mostErrors) break;
    const kind = printParseErrorCode(error.error);
    const comma = isTrailingComma(text, kind, error.offset);
    const harmless = comma || kind === "InvalidCommentToken";
    // Behind the first real break the parser guesses, and its further complaints mislead.
    if (!harmless && broken) continue;
    broken ||= !harmless;
    const shown = JSON.stringify(text.slice(error.offset, error.offset + Math.min(error.length, 20)));
    const message = comma ? "a comma before } or ] is not JSON; remove it" : messages[kind];
    const quotes = text[error.offset] === "'" ? "; its texts stand in double quotes" : "";
    described.push({ offset: error.offset, message: message ?? `${shown} is not JSON${quotes}`, harmless });
  }
  return described;
}

function isTrailingComma(text: string, kind: string, offset: number): boolean {
  if (kind !== "PropertyNameExpected" && kind !== "ValueExpected") return false;
  if (text[offset] !== "}" && text[offset] !== "]") return false;
  return text
    .slice(Math.max(0, offset - 1000), offset)
    .trimEnd()
    .endsWith(",");
}
