import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Json } from "../../runtime/json.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { type SchemaProblem, describeSchemaErrors, typeOf, withArticle } from "../schema-problem.ts";
import { eventNameRule, isEventName } from "./event-name.ts";
import { describeSchemaFault, extensionKeywords } from "./schema-fault.ts";

/** The JSON Schemas of events, compiled. A schema describes an event's `data`, not the event around it. */
export interface EventSchemas {
  /** The names of the events that have a schema. */
  readonly names: readonly string[];
  /** All that does not fit, pointers as "/data/…" behind `base`; nothing when the name has no schema. */
  check(name: string, data: Json, base?: string): readonly Problem[];
}

/** Problems that one event can give: a long list of wrong elements would give one each. */
const mostProblems = 100;

/**
 * Compiles the JSON Schemas (draft 2020-12) of events by event name. They may refer to each other by `$id`, to
 * nothing else; `format` is checked. `files` says where each was read, for the problems. Throws ERR_SCHEMA_INVALID
 * with the problems of all of them.
 */
export function compileEventSchemas(
  schemas: Readonly<Record<string, Json>>,
  files: Readonly<Record<string, string>> = {},
): EventSchemas {
  const checks = new Map<string, ValidateFunction>();
  const problems: Problem[] = [];
  const ajv = createAjv(schemas);
  const attempt = (name: string, what: () => readonly Fault[]): void => {
    for (const { message, ...rest } of attemptOn(ajv, what)) {
      const file = files[name] === undefined ? {} : { file: files[name] };
      const text = `the schema of ${name} can't be used: ${message}`;
      problems.push({ code: "ERR_SCHEMA_INVALID", message: text, ...file, ...rest });
    }
  };
  const sound = new Map<string, AnySchema>();
  for (const [name, schema] of Object.entries(schemas)) {
    attempt(name, () => {
      if (!isEventName(name)) return [{ message: `the name of an event has ${eventNameRule}` }];
      const faults = faultsOf(schema, ajv);
      if (faults.length > 0) return faults;
      // Known before any is compiled, so that they may refer to each other in any order.
      if (typeof schema === "object" && schema !== null && "$id" in schema) ajv.addSchema(schema);
      sound.set(name, schema as AnySchema);
      return [];
    });
  }
  for (const [name, schema] of sound) {
    attempt(name, () => {
      checks.set(name, ajv.compile(schema));
      return [];
    });
  }
  if (problems.length > 0) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    throw new MillraceError("ERR_SCHEMA_INVALID", `${problems[0]?.message}${more}`, { problems });
  }
  return {
    names: [...checks.keys()],
    check: (name, data, base = "") => misfits(checks.get(name), name, data, base),
  };
}

type Fault = Omit<Problem, "code" | "file">;

function attemptOn(ajv: Ajv2020, what: () => readonly Fault[]): readonly Fault[] {
  try {
    return what();
  } catch (error) {
    return [describeSchemaFault(error, ajv)];
  }
}

/** What is wrong with a schema by itself. */
function faultsOf(schema: Json | undefined, ajv: Ajv2020): readonly Fault[] {
  if (typeof schema !== "boolean" && typeOf(schema) !== "object") {
    return [
      { message: `it must be an object or a boolean, and is ${withArticle(typeOf(schema))}`, pointer: "" },
    ];
  }
  if (typeof schema === "object" && schema !== null && "$async" in schema) {
    return [{ message: "`$async` is not part of JSON Schema", pointer: "/$async" }];
  }
  return ajv.validateSchema(schema as AnySchema) === true
    ? []
    : firstOfEach(describeSchemaErrors(ajv.errors ?? []));
}

/** The dialect's own schema has many branches, each with its say about the same place. */
function firstOfEach(problems: readonly SchemaProblem[]): readonly SchemaProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ pointer }) => !seen.has(pointer) && seen.add(pointer)).slice(0, mostProblems);
}

function createAjv(schemas: Readonly<Record<string, Json>>): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    // A misspelt keyword would accept everything in silence; the other strict checks are matters of taste.
    strict: false,
    strictSchema: true,
    allowUnionTypes: true,
    logger: false,
  });
  addFormats.default(ajv);
  ajv.addVocabulary(extensionKeywords(schemas));
  return ajv;
}

function misfits(
  check: ValidateFunction | undefined,
  name: string,
  data: Json,
  base: string,
): readonly Problem[] {
  try {
    if (check === undefined || check(data)) return [];
  } catch {
    // A `$ref` that leads back to itself recurses without end.
    const message = `the schema of ${name} can't be worked through: it refers to itself without end`;
    return [{ code: "ERR_EVENT_SCHEMA", message, pointer: `${base}/data` }];
  }
  return describeSchemaErrors((check.errors ?? []).slice(0, mostProblems)).map(({ pointer, ...rest }) => ({
    code: "ERR_EVENT_SCHEMA",
    pointer: `${base}/data${pointer}`,
    ...rest,
  }));
}
