import type { Ajv2020 } from "ajv/dist/2020.js";
import type { Json } from "../../runtime/json.ts";
import { nearest } from "../nearest.ts";

/** Why a schema can't be compiled. */
export interface SchemaFault {
  readonly message: string;
  readonly suggestion?: string;
}

/** Puts what the schema compiler throws into words. */
export function describeSchemaFault(error: unknown, ajv: Ajv2020): SchemaFault {
  if (error instanceof RangeError) return { message: "it nests too deep" };
  const text = (error as Error).message;
  const keyword = /^strict mode: unknown keyword: "(.*)"$/s.exec(text)?.[1];
  if (keyword !== undefined) {
    const close = nearest(keyword, Object.keys(ajv.RULES.keywords));
    return withSuggestion(
      `JSON Schema has no keyword ${JSON.stringify(keyword)}; begin one of your own with x-`,
      close,
    );
  }
  const format = /^unknown format "(.*?)" (?:ignored )?in schema/s.exec(text)?.[1];
  if (format !== undefined) {
    return withSuggestion(
      `there is no format ${JSON.stringify(format)}`,
      nearest(format, Object.keys(ajv.formats)),
    );
  }
  const dialect = /^no schema with key or ref "(.*)"$/s.exec(text)?.[1];
  if (dialect !== undefined) {
    return {
      message: `\`$schema\` is ${dialect}; leave it out, or use https://json-schema.org/draft/2020-12/schema`,
    };
  }
  const reference = /^can't resolve reference (.*) from id/s.exec(text)?.[1];
  if (reference !== undefined) {
    return {
      message: `\`$ref\` ${reference} leads nowhere; nothing is fetched, only the other schemas' \`$id\` are known`,
    };
  }
  return { message: text };
}

function withSuggestion(message: string, suggestion: string | undefined): SchemaFault {
  return suggestion === undefined ? { message } : { message, suggestion };
}

/** The keywords in these schemas that are marked as their author's own, and `example`, which many generators write. */
export function extensionKeywords(schemas: Json): string[] {
  const found = new Set(["example"]);
  const open: Json[] = [schemas];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      if (/^x-[\w-]+$/.test(key)) found.add(key);
      open.push(child);
    }
  }
  return [...found];
}
