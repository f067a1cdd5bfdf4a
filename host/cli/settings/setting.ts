import { parseDuration } from "../../function/duration.ts";
import { parseSize } from "../../function/size.ts";

/** What a setting's value can be: durations in milliseconds, sizes in bytes. */
export type SettingValue = string | number | readonly string[];

/** How values of a kind are read and described. */
interface SettingKind {
  /** What a configuration file may hold. */
  readonly json: readonly ("string" | "integer" | "array")[];
  readonly expected: string;
  /** Undefined when it is none. */
  read(given: string | number | readonly string[]): SettingValue | undefined;
}

/** One setting of a host, the same as a flag, in the environment and in a file. */
export interface Setting {
  /** As the flag has it, without dashes in front. */
  readonly name: string;
  readonly kind: keyof typeof kinds;
  readonly argument: string;
  readonly description: string;
  /** As the user would write it. */
  readonly default?: string | number;
  /** Not shown. */
  readonly secret?: boolean;
  /** The only values, as texts. */
  readonly choices?: readonly string[];
}

const kinds = {
  text: {
    json: ["string"],
    expected: "a text",
    read: (given) => (typeof given === "string" && given !== "" ? given : undefined),
  },
  list: {
    json: ["string", "array"],
    expected: "texts with commas between them",
    read(given) {
      const parts = typeof given === "string" ? given.split(",").map((part) => part.trim()) : given;
      if (typeof parts === "number" || parts.length === 0) return undefined;
      return parts.some((part) => part === "") ? undefined : parts;
    },
  },
  count: {
    json: ["integer"],
    expected: "a whole number above 0",
    read: (given) => whole(given, 1, Number.MAX_SAFE_INTEGER),
  },
  port: {
    json: ["integer"],
    expected: "a whole number from 0 to 65535",
    read: (given) => whole(given, 0, 65_535),
  },
  duration: {
    json: ["string"],
    expected: "a duration such as 30s, 5m or 7d",
    read: (given) => (typeof given === "string" ? parseDuration(given) : undefined),
  },
  size: {
    json: ["string", "integer"],
    expected: "a size such as 512MiB or 10GiB",
    read(given) {
      const size = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : given;
      return typeof size === "object" ? undefined : parseSize(size);
    },
  },
} as const satisfies Record<string, SettingKind>;

/** The variable of the environment: "keep-events" is MILLRACE_KEEP_EVENTS. */
export function variableOf({ name }: Setting): string {
  return `MILLRACE_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** The key in a file, and of what commander parsed: "keep-events" is keepEvents. */
export function keyOf({ name }: Setting): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads a value; what is wrong with it, as the end of a sentence, where it is none. */
export function readSetting(
  { kind, choices }: Setting,
  given: string | number | readonly string[],
): { readonly value: SettingValue } | { readonly expected: string } {
  const value = kinds[kind].read(given);
  if (value === undefined) return { expected: kinds[kind].expected };
  const wrong = [value].flat().some((one) => choices !== undefined && !choices.includes(String(one)));
  return wrong ? { expected: `one of ${(choices ?? []).join(", ")}` } : { value };
}

/** The JSON Schema of a setting in a file; its text is read after that. */
export function schemaOf({ kind, choices, description }: Setting): object {
  const { json } = kinds[kind];
  return {
    type: json,
    description,
    ...(kind === "text" && choices !== undefined ? { enum: choices } : {}),
    ...(kind === "list"
      ? { items: { type: "string", ...(choices === undefined ? {} : { enum: choices }) } }
      : {}),
  };
}

function whole(given: string | number | readonly string[], least: number, most: number): number | undefined {
  const value = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : given;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most
    ? value
    : undefined;
}
