import { capabilityNames } from "../../../runtime/capabilities.ts";
import type { Limits } from "../../../runtime/limits.ts";
import type { Problem } from "../../errors.ts";
import { httpGrant, type HttpGrantDocument } from "../../function/capabilities.ts";
import { destinationForm, parseDestination } from "../../function/destination.ts";
import { durationPattern, parseDuration } from "../../function/duration.ts";
import functionSchema from "../../function/function.schema.json" with { type: "json" };
import { parseSize, sizePattern } from "../../function/size.ts";
import type { HttpRule } from "../../policy/grants.ts";
import type { LambdaRule } from "../../policy/lambda-rules.ts";
import type { Policy } from "../../policy/policy.ts";
import { readJsonFile } from "./config-file.ts";

const functions = {
  type: "array",
  items: { type: "string", pattern: "^[A-Za-z0-9_*-]{1,128}$" },
};
const httpRule = {
  type: "object",
  properties: { functions, hosts: { type: "array", items: { $ref: "#/$defs/httpGrant" } } },
  required: ["functions", "hosts"],
  additionalProperties: false,
};
/** One rule, or a list of them: told apart by what is there, so that a problem is about the one that was meant. */
const httpRules = { ...httpRule, type: ["object", "array"], items: httpRule };
const texts = { type: "array", items: { type: "string", minLength: 1, maxLength: 2048 } };
const lambdaRule = {
  type: "object",
  properties: { functions, invoke: texts, endpoints: texts },
  required: ["functions", "invoke"],
  additionalProperties: false,
};
const lambdaRules = { ...lambdaRule, type: ["object", "array"], items: lambdaRule };
const secrets = {
  type: "object",
  propertyNames: { pattern: "^[A-Za-z0-9_*]{1,128}$" },
  additionalProperties: functions,
};
const emit = {
  type: "object",
  propertyNames: { minLength: 1, maxLength: 256 },
  additionalProperties: functions,
};
const size = { type: ["string", "integer"], pattern: sizePattern, minimum: 0 };
const schema = {
  type: "object",
  properties: {
    $schema: { type: "string" },
    capabilities: {
      type: "object",
      properties: {
        ...Object.fromEntries(capabilityNames.map((name) => [name, functions])),
        http: httpRules,
        lambda: lambdaRules,
        docker: functions,
        secrets,
        emit,
      },
      additionalProperties: false,
    },
    limits: {
      type: "object",
      properties: {
        timeout: { type: "string", pattern: durationPattern },
        cpu: { type: "string", pattern: durationPattern },
        memory: size,
        output: size,
        logs: size,
        tmp: size,
        http: {
          type: "object",
          properties: { concurrent: { type: "integer", minimum: 1 }, body: size },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
  $defs: {
    httpGrant: functionSchema.$defs.httpGrant,
    httpHost: functionSchema.$defs.httpHost,
    httpMethod: functionSchema.$defs.httpMethod,
  },
};

interface HttpRuleDocument {
  readonly functions: readonly string[];
  /** As a function's document has them. */
  readonly hosts: readonly HttpGrantDocument[];
}

/** A policy as its file has it, once that fits the schema. */
interface PolicyDocument {
  readonly capabilities?: Omit<Policy["capabilities"], "http" | "lambda"> & {
    readonly http?: HttpRuleDocument | readonly HttpRuleDocument[];
    readonly lambda?: LambdaRule | readonly LambdaRule[];
  };
  readonly limits?: {
    readonly timeout?: string;
    readonly cpu?: string;
    readonly memory?: string | number;
    readonly output?: string | number;
    readonly logs?: string | number;
    readonly tmp?: string | number;
    readonly http?: { readonly concurrent?: number; readonly body?: string | number };
  };
}

/** Reads an operator's policy: JSON with comments. Throws ERR_INPUT_FILE, and ERR_CONFIG_INVALID with all that is wrong. */
export async function readPolicyFile(file: string): Promise<Policy> {
  const { value, place, invalid } = await readJsonFile(file, schema);
  const { capabilities: { http, lambda, ...capabilities } = {}, limits = {} } = value as PolicyDocument;
  const wrong = hostProblems(http);
  if (wrong.length > 0) throw invalid(wrong.map((problem) => ({ ...problem, ...place(problem.pointer) })));
  const most: { [K in keyof Limits]-?: number | undefined } = {
    wallMs: limits.timeout === undefined ? undefined : parseDuration(limits.timeout),
    cpuMs: limits.cpu === undefined ? undefined : parseDuration(limits.cpu),
    memoryBytes: bytes(limits.memory),
    outputBytes: bytes(limits.output),
    logBytes: bytes(limits.logs),
    tmpBytes: bytes(limits.tmp),
    httpConcurrent: limits.http?.concurrent,
    httpBodyBytes: bytes(limits.http?.body),
  };
  const given = Object.entries(most).filter(([, amount]) => amount !== undefined);
  return {
    file,
    capabilities: {
      ...capabilities,
      ...(http && { http: rulesOf(http).map(normalRule) }),
      ...(lambda && { lambda: rulesOf(lambda) }),
    },
    limits: Object.fromEntries(given),
  };
}

/** One rule, or a list of them. */
function rulesOf<Rule extends { readonly functions: unknown }>(
  rules: Rule | readonly Rule[],
): readonly Rule[] {
  return "functions" in rules ? [rules] : rules;
}

function normalRule({ functions, hosts }: HttpRuleDocument): HttpRule {
  return { functions, hosts: hosts.map(httpGrant) };
}

/** What the schema can't say of hosts. */
function hostProblems(
  http: HttpRuleDocument | readonly HttpRuleDocument[] | undefined,
): readonly (Pick<Problem, "message" | "expected"> & { readonly pointer: string })[] {
  if (http === undefined) return [];
  return rulesOf(http).flatMap(({ hosts }, rule) =>
    hosts.flatMap((grant, index) => {
      const parsed = parseDestination(typeof grant === "string" ? grant : grant.host);
      if (parsed.ok) return [];
      const pointer = `/capabilities/http/${"functions" in http ? "" : `${rule}/`}hosts/${index}`;
      const { message, suggestion } = parsed;
      return [{ message, pointer, expected: destinationForm, ...(suggestion && { suggestion }) }];
    }),
  );
}

function bytes(given: string | number | undefined): number | undefined {
  return given === undefined ? undefined : parseSize(given);
}
