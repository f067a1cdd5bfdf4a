import { readableStack } from "./stack.ts";

const identifier = /^[a-zA-Z_$][\w$]*$/;

/** How deep objects are shown, and how many elements, as Node's console does. */
const deepest = 2;
const most = 100;

interface Seen {
  readonly depth: number;
  readonly parents: readonly object[];
}

/** A value as a console shows it: strings bare at the top, objects much as in Node. */
export function inspect(value: unknown): string {
  return typeof value === "string" ? value : show(value, { depth: 0, parents: [] });
}

/** An error with its stack and causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const stack = readableStack(error.stack);
  const head = errorLine(error);
  const own = stack === "" ? head : `${head}\n${stack}`;
  return error.cause === undefined ? own : `${own}\n  cause: ${describeError(error.cause)}`;
}

/** `Name: message`. */
export function errorLine(error: Error): string {
  const name = String(error.name || "Error");
  return error.message === "" ? name : `${name}: ${error.message}`;
}

function show(value: unknown, seen: Seen): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "function":
      return `[${/^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "Function"}${value.name === "" ? " (anonymous)" : `: ${value.name}`}]`;
    case "object":
      return value === null ? "null" : showObject(value, seen);
    default:
      return String(value);
  }
}

function quote(text: string): string {
  const mark = text.includes("'") ? (text.includes('"') ? "`" : '"') : "'";
  return mark + text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll(mark, `\\${mark}`) + mark;
}

function showObject(value: object, { depth, parents }: Seen): string {
  if (parents.includes(value)) return "[Circular]";
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  const name = (value.constructor as { name?: string } | undefined)?.name ?? "[Object: null prototype]";
  if (depth > deepest) return Array.isArray(value) ? "[Array]" : `[${name}]`;
  const inner = { depth: depth + 1, parents: [...parents, value] };
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const items = value as unknown as ArrayLike<unknown>;
    const shown = Array.from({ length: Math.min(items.length, most) }, (_, index) =>
      show(items[index], inner),
    );
    const prefix = Array.isArray(value) && name === "Array" ? "" : `${name}(${items.length}) `;
    return `${prefix}${enclose("[", cut(shown, items.length), "]")}`;
  }
  if (value instanceof Map) {
    const shown = [...value]
      .slice(0, most)
      .map(([key, item]) => `${show(key, inner)} => ${show(item, inner)}`);
    return `${name}(${value.size}) ${enclose("{", cut(shown, value.size), "}")}`;
  }
  if (value instanceof Set) {
    const shown = [...value].slice(0, most).map((item) => show(item, inner));
    return `${name}(${value.size}) ${enclose("{", cut(shown, value.size), "}")}`;
  }
  const keys = Object.keys(value);
  const shown = keys.slice(0, most).map((key) => {
    const member = (value as Record<string, unknown>)[key];
    return `${identifier.test(key) ? key : quote(key)}: ${show(member, inner)}`;
  });
  return `${name === "Object" ? "" : `${name} `}${enclose("{", cut(shown, keys.length), "}")}`;
}

function cut(shown: readonly string[], total: number): readonly string[] {
  return total > shown.length ? [...shown, `... ${total - shown.length} more items`] : shown;
}

function enclose(open: string, items: readonly string[], close: string): string {
  if (items.length === 0) return open + close;
  const line = items.join(", ");
  if (line.length <= 72 && !line.includes("\n")) {
    return open === "[" ? `[ ${line} ]` : `${open} ${line} ${close}`;
  }
  return `${open}\n  ${items.join(",\n").replaceAll("\n", "\n  ")}\n${close}`;
}

/** The arguments of console.log as one text, with %s, %d, %i, %f, %j, %o, %O and %c. */
export function format(values: readonly unknown[]): string {
  const [first, ...rest] = values;
  if (typeof first !== "string" || !first.includes("%")) return values.map(inspect).join(" ");
  const text = first.replace(/%([sdifjoOc%])/g, (whole, kind: string) => {
    if (kind === "%") return "%";
    if (rest.length === 0) return whole;
    return directive(kind, rest.shift());
  });
  return [text, ...rest.map(inspect)].join(" ");
}

function directive(kind: string, value: unknown): string {
  if (kind === "s") return typeof value === "object" ? inspect(value) : String(value);
  if (kind === "c") return "";
  if (kind === "j") return JSON.stringify(value) ?? "undefined";
  if (kind === "o" || kind === "O") return show(value, { depth: 0, parents: [] });
  if (typeof value === "bigint") return `${value}n`;
  if (kind === "i") return String(Number.parseInt(String(value), 10));
  return String(kind === "f" ? Number.parseFloat(String(value)) : Number(value));
}
