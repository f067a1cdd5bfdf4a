import { Ajv2020 } from "ajv/dist/2020.js";
import { findNodeAtLocation, parseTree, type Node, type ParseError } from "jsonc-parser";
import type { Problem } from "../../errors.ts";
import { describeSyntaxErrors } from "../../function/json-syntax.ts";
import { lineStarts, positionIn, type Position } from "../../function/position.ts";
import { describeSchemaErrors } from "../../schema-problem.ts";
import { CliError } from "../errors.ts";
import { readInputFile } from "../input-file.ts";
import { keyOf, readSetting, schemaOf, type Setting, type SettingValue } from "./setting.ts";

/** A setting that a file gives, and the line on which it does. */
export interface FileSetting {
  readonly value: SettingValue;
  readonly line: number;
}

/** Reads settings from JSON with comments, by name. Throws ERR_INPUT_FILE, and ERR_CONFIG_INVALID with all that is wrong. */
export async function readConfigFile(
  file: string,
  settings: readonly Setting[],
): Promise<ReadonlyMap<string, FileSetting>> {
  const { value, place, invalid } = await readJsonFile(file, {
    type: "object",
    properties: { $schema: { type: "string" }, ...byKey(settings) },
    additionalProperties: false,
  });
  const found = new Map<string, FileSetting>();
  const problems: Omit<Problem, "code" | "file">[] = [];
  for (const setting of settings) {
    const pointer = `/${keyOf(setting)}`;
    const given = value[keyOf(setting)];
    if (given === undefined) continue;
    const result = readSetting(setting, given as string);
    if ("value" in result) found.set(setting.name, { value: result.value, line: place(pointer).line });
    else {
      const message = `it must be ${result.expected}`;
      problems.push({ message, pointer, expected: result.expected, ...place(pointer) });
    }
  }
  if (problems.length > 0) throw invalid(problems);
  return found;
}

/** JSON with comments that fits a schema, and what else may be found wrong with it. */
interface JsonFile {
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the key that a JSON pointer ends in begins. */
  place(pointer: string): Position;
  invalid(problems: readonly Omit<Problem, "code" | "file">[]): CliError;
}

/**
 * Reads JSON with comments and trailing commas. Throws ERR_INPUT_FILE, and ERR_CONFIG_INVALID with all that is wrong; of a
 * `secret` file without a word of what it says.
 */
export async function readJsonFile(
  file: string,
  schema: object,
  { secret = false }: { readonly secret?: boolean } = {},
): Promise<JsonFile> {
  const text = (await readInputFile(file)).toString("utf8").replace(/^\ufeff/, "");
  const lines = lineStarts(text);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const invalid = (problems: readonly Omit<Problem, "code" | "file">[]): CliError =>
    new CliError("ERR_CONFIG_INVALID", `${file} can't be used.`, {
      problems: problems.map((problem) => ({ code: "ERR_CONFIG_INVALID", file, ...problem })),
    });
  if (tree === undefined || errors.length > 0) {
    const faults = describeSyntaxErrors(text, errors);
    throw invalid(
      faults.length === 0
        ? [{ message: "the file is empty; a JSON object is expected", pointer: "", line: 1, column: 1 }]
        : faults.map(({ message, offset }) => ({
            message: secret ? "this is not JSON" : message,
            pointer: "",
            ...positionIn(lines, offset),
          })),
    );
  }

  const value = plain(tree) as Record<string, unknown>;
  const place = (pointer: string): Position => positionIn(lines, keyOffset(tree, pointer));
  const check = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(schema);
  if (!check(value)) {
    throw invalid(
      describeSchemaErrors(check.errors ?? []).map((problem) => ({ ...problem, ...place(problem.pointer) })),
    );
  }
  return { value, place, invalid };
}

function byKey(settings: readonly Setting[]): Readonly<Record<string, object>> {
  return Object.fromEntries(settings.map((setting) => [keyOf(setting), schemaOf(setting)]));
}

function plain(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(plain);
  if (node.type !== "object") return node.value as unknown;
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
      key === undefined || value === undefined ? [] : [[key.value as string, plain(value)]],
    ),
  );
}

/** Where the key that a pointer ends in begins; the element for an array's. */
function keyOffset(tree: Node, pointer: string): number {
  const path = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const node = findNodeAtLocation(tree, path);
  if (node === undefined) return tree.offset;
  return node.parent?.type === "property" ? node.parent.offset : node.offset;
}
