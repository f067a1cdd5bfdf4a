import type { ErrorObject } from "ajv/dist/2020.js";
import { pointerStep } from "./json-pointer.ts";
import { nearest } from "./nearest.ts";

/** What one error of a JSON Schema check says to a person. */
export interface SchemaProblem {
  /** JSON pointer to the offending value; for an unknown property, to that property. */
  readonly pointer: string;
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
}

/** Keywords whose error only repeats that an error inside them was found. */
const echoes = new Set(["if", "propertyNames"]);

/** Puts the errors of an ajv check (options `allErrors`, `verbose`) into words. */
export function describeSchemaErrors(errors: readonly ErrorObject[]): SchemaProblem[] {
  return firstCauses(errors).map(describe);
}

/** The errors without those that only follow from others. */
export function firstCauses(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  // A name that is misspelt is missing too.
  const misspelt = new Set(
    errors
      .filter(({ keyword }) => keyword === "additionalProperties" || keyword === "unevaluatedProperties")
      .map((error) => `${error.instancePath} ${unknownProperty(error, "").suggestion}`),
  );
  return errors.filter(
    ({ keyword, instancePath, params }) =>
      !echoes.has(keyword) &&
      !(keyword === "required" && misspelt.has(`${instancePath} ${params["missingProperty"]}`)),
  );
}

function describe(error: ErrorObject): SchemaProblem {
  const pointer = error.instancePath;
  // An error of `propertyNames` is about a key, not about the value that it names.
  if (error.propertyName !== undefined) {
    return {
      pointer: pointer + pointerStep(error.propertyName),
      message: `${JSON.stringify(error.propertyName)} can't be a name here: it ${error.message ?? "is not allowed"}`,
    };
  }
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties":
      return unknownProperty(error, pointer);
    case "required":
    case "dependentRequired": {
      const name = String(error.params["missingProperty"]);
      return { pointer, message: `the property "${name}" is missing`, expected: `a property "${name}"` };
    }
    case "type": {
      const types = [error.params["type"] as string | string[]].flat();
      const message = `it must be ${types.map(withArticle).join(" or ")}, and is ${withArticle(typeOf(error.data))}`;
      return { pointer, message, expected: `${types.join(" or ")}${exampleIn(error.parentSchema)}` };
    }
    case "enum": {
      const allowed = error.params["allowedValues"] as unknown[];
      const expected = `one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`;
      const close = nearestValue(error.data, allowed);
      return {
        pointer,
        message: `it must be ${expected}`,
        expected,
        ...(close === undefined ? {} : { suggestion: close }),
      };
    }
    case "const": {
      const expected = JSON.stringify(error.params["allowedValue"]);
      return { pointer, message: `it must be ${expected}`, expected };
    }
    case "anyOf":
      return { pointer, message: "it fits none of the alternatives" };
    case "oneOf": {
      const several = error.params["passingSchemas"] !== null;
      return { pointer, message: `it fits ${several ? "more than one" : "none"} of the alternatives` };
    }
    case "minItems":
    case "minProperties":
      if (error.params["limit"] === 1)
        return { pointer, message: "it must not be empty", expected: "at least one" };
      return { pointer, message: `it ${error.message}` };
    default:
      return { pointer, message: `it ${error.message ?? "is not valid"}` };
  }
}

function unknownProperty(error: ErrorObject, pointer: string): SchemaProblem {
  const name = String(error.params["additionalProperty"] ?? error.params["unevaluatedProperty"]);
  const parent = error.parentSchema as
    | { readonly properties?: Readonly<Record<string, unknown>> }
    | undefined;
  const known = Object.keys(parent?.properties ?? {});
  const close = nearest(name, known);
  return {
    pointer: pointer + pointerStep(name),
    message: `there is no property ${JSON.stringify(name)} here`,
    ...(known.length === 0 ? {} : { expected: `one of ${known.join(", ")}` }),
    ...(close === undefined ? {} : { suggestion: close }),
  };
}

function nearestValue(data: unknown, allowed: readonly unknown[]): string | undefined {
  if (typeof data !== "string") return undefined;
  return nearest(
    data,
    allowed.filter((value) => typeof value === "string"),
  );
}

/** A type's name as sentences have it: "an object", "null". */
export function withArticle(type: string): string {
  if (type === "null" || type === "undefined") return type;
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

const longestExample = 120;

/** What fits a schema, where it says so in a line. */
function exampleIn(schema: unknown): string {
  const { examples } = (schema ?? {}) as { readonly examples?: readonly unknown[] };
  const text = examples
    ?.map((example) => JSON.stringify(example))
    .find(({ length }) => length <= longestExample);
  return text === undefined ? "" : `, such as ${text}`;
}

/** The JSON type of a value, as JSON Schema names it. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}
