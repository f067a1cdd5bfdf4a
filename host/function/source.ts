import { type Node, type ParseError, createScanner, parseTree } from "jsonc-parser";
import type { Json } from "../../runtime/json.ts";
import type { Problem } from "../errors.ts";
import { pointerStep } from "../json-pointer.ts";
import { describeSyntaxErrors } from "./json-syntax.ts";
import { type Position, lineStarts, positionIn } from "./position.ts";

/** A JSON text with the place of everything in it. */
export interface Source {
  readonly value: Json;
  /** Where the value of a JSON pointer begins; with `character`, that character of the string. */
  valueAt(pointer: string, character?: number): Position | undefined;
  /** Where the key that a JSON pointer ends in begins; for an array's element, the element. */
  keyAt(pointer: string): Position | undefined;
}

/** What reading a text gave; `source` is there as well when nothing but form was wrong. */
export interface ReadSource {
  readonly source?: Source;
  readonly problems: readonly Problem[];
}

const largestText = 1024 * 1024;
/** Objects and arrays within each other; what reads JSON recursively is safe below it. */
const deepestNesting = 128;

/** Reads JSON in UTF-8, with all that is wrong with it; the problems have the codes ERR_FUNCTION_…. */
export function readSource(input: string | Uint8Array): ReadSource {
  const bytes = typeof input === "string" ? Buffer.byteLength(input) : input.byteLength;
  if (bytes > largestText) {
    return refuse(
      "ERR_FUNCTION_TOO_LARGE",
      `the document has ${bytes} bytes; ${largestText} (1 MiB) are allowed`,
    );
  }
  const text = typeof input === "string" ? input.replace(/^\uFEFF/, "") : decode(input);
  if (text === undefined) {
    return refuse("ERR_FUNCTION_JSON", "the file is not UTF-8; save it in that encoding");
  }
  if (text.trim() === "")
    return refuse("ERR_FUNCTION_JSON", "the file is empty; a function document is a JSON object");
  const lines = lineStarts(text);
  const deep = firstTooDeep(text);
  if (deep !== undefined) {
    const place = positionIn(lines, deep);
    return refuse("ERR_FUNCTION_TOO_LARGE", `it nests deeper than ${deepestNesting} levels`, place);
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const found = describeSyntaxErrors(text, errors);
  const problems: Problem[] = found.map(({ message, offset }) => ({
    code: "ERR_FUNCTION_JSON",
    message,
    ...positionIn(lines, offset),
  }));
  if (tree === undefined || found.some(({ harmless }) => !harmless)) return { problems };
  if (errors.length === 0) {
    try {
      JSON.parse(text);
    } catch (error) {
      return refuse("ERR_FUNCTION_JSON", `it is not JSON: ${(error as Error).message}`);
    }
  }
  return { source: index(text, tree, lines, problems), problems };
}

function refuse(code: string, message: string, position: Position = { line: 1, column: 1 }): ReadSource {
  return { problems: [{ code, message, pointer: "", ...position }] };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // Leaves out the byte order mark that some editors write.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function firstTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    // A token that begins with a bracket is one: strings and comments begin otherwise.
    if (text[offset] === "{" || text[offset] === "[") depth += 1;
    else if (text[offset] === "}" || text[offset] === "]") depth -= 1;
    if (depth > deepestNesting) return offset;
  }
  return undefined;
}

interface Place {
  readonly key: Node | undefined;
  readonly value: Node;
}

/** Builds the value and the places of all pointers; adds double keys and what no store could keep to `problems`. */
function index(text: string, tree: Node, lines: readonly number[], problems: Problem[]): Source {
  const places = new Map<string, Place>();
  const at = (offset: number): Position => positionIn(lines, offset);
  const report = (code: string, message: string, pointer: string, node: Node): void => {
    problems.push({ code, message, pointer, ...at(node.offset) });
  };
  const scalar = (node: Node, pointer: string): Json => {
    const value = node.value as Json;
    if (typeof value === "string" && !value.isWellFormed()) {
      report(
        "ERR_FUNCTION_JSON",
        "the text has half a surrogate pair, which UTF-8 can't carry",
        pointer,
        node,
      );
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
      report("ERR_FUNCTION_JSON", "the number is outside of what a double can hold", pointer, node);
    }
    return value;
  };
  const visit = (node: Node, pointer: string, key?: Node): Json => {
    places.set(pointer, { key, value: node });
    if (node.type === "array") {
      return (node.children ?? []).map((child, place) => visit(child, `${pointer}/${place}`));
    }
    if (node.type !== "object") return scalar(node, pointer);
    const object: Record<string, Json> = {};
    for (const property of node.children ?? []) {
      const [name, value] = property.children ?? [];
      if (name === undefined || value === undefined) continue;
      const label = name.value as string;
      const inner = pointer + pointerStep(label);
      if (label === "__proto__") {
        report("ERR_FUNCTION_FORBIDDEN_KEY", "the key `__proto__` is not allowed", inner, name);
        continue;
      }
      if (!label.isWellFormed()) {
        report(
          "ERR_FUNCTION_JSON",
          "the key has half a surrogate pair, which UTF-8 can't carry",
          inner,
          name,
        );
      }
      if (Object.hasOwn(object, label)) {
        const line = at(places.get(inner)?.key?.offset ?? 0).line;
        const message = `the key ${JSON.stringify(label)} is there already, in line ${line}; only one would count`;
        report("ERR_FUNCTION_DUPLICATE", message, inner, name);
      }
      object[label] = visit(value, inner, name);
    }
    return object;
  };
  const value = visit(tree, "");
  return {
    value,
    valueAt(pointer, character) {
      const node = places.get(pointer)?.value;
      if (node === undefined) return undefined;
      return at(character === undefined ? node.offset : offsetInString(text, node, character));
    },
    keyAt(pointer) {
      const place = places.get(pointer);
      return place === undefined ? undefined : at((place.key ?? place.value).offset);
    },
  };
}

/** An escape is one character of the value, but two or six of the text. */
function offsetInString(text: string, node: Node, character: number): number {
  if (node.type !== "string") return node.offset;
  let offset = node.offset + 1;
  for (let left = character; left > 0; left -= 1) {
    if (text[offset] !== "\\") offset += 1;
    else offset += text[offset + 1] === "u" ? 6 : 2;
  }
  return offset;
}
