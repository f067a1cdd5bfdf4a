import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Json } from "../../runtime/json.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { describeSchemaErrors } from "../schema-problem.ts";

/** The JSON Schemas of events, compiled. A schema describes an event's `data`. */
export interface EventSchemas {
  /** The names of the events that have a schema. */
  readonly names: readonly string[];
  /** All that does not fit, pointers as "/data/…" behind `base`; nothing when the name has no schema. */
  check(name: string, data: Json, base?: string): readonly Problem[];
}

/** Problems of one event; with `allErrors`, a long list of wrong elements would give one each. */
const mostProblems = 100;

/**
 * Compiles the JSON Schemas (draft 2020-12) of events by event name; `files` says where each was read, for messages.
 * Throws ERR_SCHEMA_INVALID with a problem for each schema that can't be used.
 */
export function compileEventSchemas(
  schemas: Readonly<Record<string, Json>>,
  files: Readonly<Record<string, string>> = {},
): EventSchemas {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    strictSchema: true,
    allowUnionTypes: true,
  });
  addFormats.default(ajv);
  const checks = new Map<string, ValidateFunction>();
  const problems: Problem[] = [];
  for (const [name, schema] of Object.entries(schemas)) {
    try {
      checks.set(name, ajv.compile(schema as object));
    } catch (error) {
      const file = files[name];
      problems.push({
        code: "ERR_SCHEMA_INVALID",
        message: `the schema of ${name} can't be used: ${(error as Error).message}`,
        ...(file === undefined ? {} : { file }),
      });
    }
  }
  if (problems.length > 0) {
    throw new MillraceError("ERR_SCHEMA_INVALID", problems.map(({ message }) => message).join("; "), {
      problems,
    });
  }
  return {
    names: [...checks.keys()],
    check(name, data, base = "") {
      const check = checks.get(name);
      if (check === undefined || check(data)) return [];
      return describeSchemaErrors((check.errors ?? []).slice(0, mostProblems)).map(
        ({ pointer, ...rest }) => ({
          code: "ERR_EVENT_SCHEMA",
          pointer: `${base}/data${pointer}`,
          ...rest,
        }),
      );
    },
  };
}
