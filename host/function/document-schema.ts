import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { Json } from "../../runtime/json.ts";
import type { HostErrorCode } from "../errors.ts";
import { describeSchemaErrors, firstCauses } from "../schema-problem.ts";
import { type Findings, mostFindings } from "./finding.ts";
import schema from "./function.schema.json" with { type: "json" };

/** What the patterns of the schema mean, in words, by the definition they stand in. */
const rules: Readonly<Record<string, { readonly code: HostErrorCode; readonly expected: string }>> = {
  duration: { code: "ERR_FUNCTION_DURATION", expected: "a number and a unit: 500ms, 30s, 5m, 1h, 2d" },
  size: { code: "ERR_FUNCTION_SIZE", expected: "a number and a unit (64KiB, 128MiB), or a number of bytes" },
  tolerance: {
    code: "ERR_FUNCTION_FOR_EACH",
    expected: "a number of items, 0 to 10000, or a share of them: 10, 5%",
  },
  functionId: {
    code: "ERR_FUNCTION_SCHEMA",
    expected: "up to 128 letters, digits, - and _, beginning with a letter or digit",
  },
  stepId: {
    code: "ERR_FUNCTION_SCHEMA",
    expected: "up to 128 letters, digits, - and _, not beginning with -",
  },
  envName: {
    code: "ERR_FUNCTION_CAPABILITY",
    expected: "up to 128 letters, digits and _, not beginning with a digit",
  },
  envValue: { code: "ERR_FUNCTION_CAPABILITY", expected: "text without the character NUL" },
  httpMethod: {
    code: "ERR_FUNCTION_CAPABILITY",
    expected: "a method in capital letters, and neither CONNECT nor TRACE",
  },
  configName: {
    code: "ERR_FUNCTION_CAPABILITY",
    expected: "1 to 256 characters without control characters",
  },
  imageName: {
    code: "ERR_FUNCTION_RUNTIME",
    expected: "the name of an image: alpine:3, registry.example.com/team/step@sha256:…",
  },
  lambdaFunction: {
    code: "ERR_FUNCTION_RUNTIME",
    expected: "a function's name of up to 64 letters, digits, - and _, or its ARN without a version",
  },
  lambdaQualifier: { code: "ERR_FUNCTION_RUNTIME", expected: "a version's number or an alias" },
  lambdaEndpoint: { code: "ERR_FUNCTION_RUNTIME", expected: "an http:// or https:// URL" },
  httpUrl: { code: "ERR_FUNCTION_RUNTIME", expected: "a URL: https://hooks.example.com/steps/notify" },
  eventName: {
    code: "ERR_FUNCTION_SCHEMA",
    expected: "1 to 256 characters without spaces, control characters, * and >",
  },
};

/** Characters of a value that a message repeats. */
const longestShown = 60;

const validator = lazy((): ValidateFunction => {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true });
  return ajv.compile(schema);
});

/** Checks a document against its published schema. */
export function checkSchema(document: Json, findings: Findings): void {
  const validate = validator();
  if (validate(document)) return;
  for (const error of firstCauses(validate.errors ?? []).slice(0, mostFindings)) {
    for (const { pointer, message, expected, suggestion } of describeSchemaErrors([error])) {
      const rule = ruleOf(error);
      const wanted = rule?.expected ?? expected;
      const unknown = error.keyword === "additionalProperties" || error.propertyName !== undefined;
      findings.add(
        {
          code: rule?.code ?? "ERR_FUNCTION_SCHEMA",
          pointer,
          message: rule === undefined ? message : refusal(error, rule.expected),
          ...(unknown ? { place: "key" as const } : {}),
          ...(wanted === undefined ? {} : { expected: wanted }),
        },
        () => suggestion,
      );
    }
  }
}

/** Only strings and numbers have such rules. */
function refusal(error: ErrorObject, expected: string): string {
  const shown = JSON.stringify(error.propertyName ?? error.data);
  const short = shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
  return `${short} is not what is expected here: ${expected}`;
}

function ruleOf(error: ErrorObject): (typeof rules)[string] | undefined {
  const definition = /^#\/\$defs\/(\w+)\/(pattern|minimum)$/.exec(error.schemaPath)?.[1];
  return definition === undefined ? undefined : rules[definition];
}

/** Compiling the schema takes longer than importing this module: the first document pays. */
function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
