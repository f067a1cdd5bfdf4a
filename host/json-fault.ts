/** Where a text stops being JSON, and what could have stood there. */
export interface JsonFault {
  /** 1-based; a column counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  /** What stands there instead, shortened; undefined at the end of the text. */
  readonly found?: string;
}

const keyStart = "a property name in double quotes";
const valueStart = "a value";
const literals = ["true", "false", "null"];
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Finds the first fault of a text that JSON.parse refused (RFC 8259); undefined when there is none. Walks without
 * recursion, so that no nesting is too deep for it.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const closers: ("]" | "}")[] = [];
  let at = 0;
  let expected = valueStart;
  const fail = (offset: number, wanted: string): JsonFault => faultAt(text, offset, wanted);

  for (;;) {
    at = skipSpace(text, at);
    const char = text[at];
    if (expected === "the end") return char === undefined ? undefined : fail(at, "the end of the text");
    const closer = closers.at(-1);
    if (expected === keyStart || expected === `${keyStart} or "}"`) {
      if (char === "}" && expected !== keyStart) {
        closers.pop();
        at += 1;
        expected = afterValue(closers);
        continue;
      }
      if (char !== '"') return fail(at, expected);
      const end = stringEnd(text, at);
      if (typeof end !== "number") return fail(end.offset, end.expected);
      at = skipSpace(text, end);
      if (text[at] !== ":") return fail(at, '":"');
      at += 1;
      expected = valueStart;
    } else if (expected.startsWith(valueStart)) {
      if (char === "]" && expected !== valueStart) {
        closers.pop();
        at += 1;
      } else if (char === "{" || char === "[") {
        closers.push(char === "{" ? "}" : "]");
        at += 1;
        expected = char === "{" ? `${keyStart} or "}"` : `${valueStart} or "]"`;
        continue;
      } else {
        const end = scalarEnd(text, at);
        if (typeof end !== "number") return fail(end?.offset ?? at, end?.expected ?? expected);
        at = end;
      }
      expected = afterValue(closers);
    } else if (char === "," && closer !== undefined) {
      at += 1;
      expected = closer === "}" ? keyStart : valueStart;
    } else if (char !== undefined && char === closer) {
      closers.pop();
      at += 1;
      expected = afterValue(closers);
    } else return fail(at, expected);
  }
}

function afterValue(closers: readonly string[]): string {
  const closer = closers.at(-1);
  return closer === undefined ? "the end" : `"," or "${closer}"`;
}

interface Stop {
  readonly offset: number;
  readonly expected: string;
}

/** Behind the string, number or literal that begins at `at`; undefined when none begins there. */
function scalarEnd(text: string, at: number): number | Stop | undefined {
  if (text[at] === '"') return stringEnd(text, at);
  const literal = literals.find((word) => text.startsWith(word, at));
  if (literal !== undefined) return at + literal.length;
  numberPattern.lastIndex = at;
  return numberPattern.test(text) ? numberPattern.lastIndex : undefined;
}

function stringEnd(text: string, start: number): number | Stop {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { offset: at, expected: 'an escape such as "\\n" for a control character' };
    if (code !== 0x5c) continue;
    if (!/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(text.slice(at, at + 6))) {
      return { offset: at, expected: 'an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX' };
    }
    at += 1;
  }
  return { offset: text.length, expected: 'the closing " of a string' };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

function faultAt(text: string, offset: number, expected: string): JsonFault {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < lineStart; at = text.indexOf("\n", at + 1)) line += 1;
  const rest = text.slice(offset, offset + 16);
  const found = /^(?:[\w$.-]+|.|\s)/su.exec(rest)?.[0];
  return { line, column: offset - lineStart + 1, expected, ...(found === undefined ? {} : { found }) };
}
