import type { LogLine, StepFailure } from "../../runtime/driver.ts";
import type { Json } from "../../runtime/json.ts";
import { needlesOf } from "./needles.ts";

/** Puts `[secret NAME]` in the place of secrets. */
export interface Redactor {
  text(text: string): string;
  json(value: Json): Json;
  failure(failure: StepFailure): StepFailure;
  logs(lines: readonly LogLine[]): readonly LogLine[];
}

/** As much of a secret at the end of a text that was cut is taken for one. */
const shortestBeginning = 6;

/** Redacts these secrets, by name. */
export function createRedactor(secrets: ReadonlyMap<string, string>): Redactor {
  const names = new Map<string, string>();
  for (const [name, secret] of secrets) {
    for (const needle of needlesOf(secret)) if (!names.has(needle)) names.set(needle, name);
  }
  const needles = [...names.keys()].toSorted((left, right) => right.length - left.length);
  const pattern = new RegExp(needles.map(escaped).join("|"), "g");
  const text: Redactor["text"] = (given) => given.replaceAll(pattern, (found) => shown(names.get(found)));

  /** Also of what was cut in the middle of a secret. */
  const cutText = (given: string): string => {
    const whole = text(given);
    const end = whole.endsWith("…") ? "…" : "";
    const rest = end === "" ? whole : whole.slice(0, -1);
    for (const [name, secret] of secrets) {
      const length = beginningAtEnd(secret, rest);
      if (length >= shortestBeginning) return rest.slice(0, rest.length - length) + shown(name) + end;
    }
    return whole;
  };

  const json: Redactor["json"] = (value) => {
    if (typeof value === "string") return text(value);
    if (typeof value === "number") {
      const digits = String(value);
      const redacted = text(digits);
      return redacted === digits ? value : redacted;
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return (value as readonly Json[]).map(json);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [text(key), json(member)]));
  };

  return {
    text,
    json,
    failure: (failure) => ({ ...failure, message: cutText(failure.message) }),
    logs: (lines) =>
      lines.map((line, index) => {
        const last = index === lines.length - 1;
        return { ...line, message: last ? cutText(line.message) : text(line.message) };
      }),
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function shown(name: string | undefined): string {
  return `[secret ${name ?? ""}]`;
}

/** How many characters at the end of a text are the beginning of a secret. */
function beginningAtEnd(secret: string, text: string): number {
  for (let length = Math.min(secret.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}
