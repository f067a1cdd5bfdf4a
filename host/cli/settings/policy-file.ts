import { capabilityNames } from "../../../runtime/capabilities.ts";
import type { Limits } from "../../../runtime/limits.ts";
import { durationPattern, parseDuration } from "../../function/duration.ts";
import { parseSize, sizePattern } from "../../function/size.ts";
import type { Policy } from "../../policy/policy.ts";
import { readJsonFile } from "./config-file.ts";

const patterns = {
  type: "array",
  items: { type: "string", pattern: "^[A-Za-z0-9_*-]{1,128}$" },
};
const size = { type: ["string", "integer"], pattern: sizePattern, minimum: 0 };
const schema = {
  type: "object",
  properties: {
    $schema: { type: "string" },
    capabilities: {
      type: "object",
      properties: Object.fromEntries(capabilityNames.map((name) => [name, patterns])),
      additionalProperties: false,
    },
    limits: {
      type: "object",
      properties: {
        timeout: { type: "string", pattern: durationPattern },
        memory: size,
        output: size,
        logs: size,
      },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};

/** A policy as its file has it, once that fits the schema. */
interface PolicyDocument {
  readonly capabilities?: Policy["capabilities"];
  readonly limits?: {
    readonly timeout?: string;
    readonly memory?: string | number;
    readonly output?: string | number;
    readonly logs?: string | number;
  };
}

/** Reads an operator's policy: JSON with comments. Throws ERR_INPUT_FILE, and ERR_CONFIG_INVALID with all that is wrong. */
export async function readPolicyFile(file: string): Promise<Policy> {
  const { value } = await readJsonFile(file, schema);
  const { capabilities = {}, limits = {} } = value as PolicyDocument;
  const most: { [K in keyof Limits]: number | undefined } = {
    wallMs: limits.timeout === undefined ? undefined : parseDuration(limits.timeout),
    memoryBytes: bytes(limits.memory),
    outputBytes: bytes(limits.output),
    logBytes: bytes(limits.logs),
  };
  const given = Object.entries(most).filter(([, amount]) => amount !== undefined);
  return { file, capabilities, limits: Object.fromEntries(given) };
}

function bytes(given: string | number | undefined): number | undefined {
  return given === undefined ? undefined : parseSize(given);
}
