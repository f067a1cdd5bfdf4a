import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { MillraceError } from "../errors.ts";
import type { DatabaseOptions } from "./database.ts";

/** Reads a store's URL: "memory:" or "sqlite:<file>[?maxSize=<bytes>]"; makes the file's folder. Throws ERR_STORE_URL. */
export function storeLocation(url: string): DatabaseOptions {
  if (url === "memory:") return { file: ":memory:" };
  const match = /^sqlite:(?<file>[^?]+)(?:\?maxSize=(?<bytes>\d+))?$/.exec(url);
  const file = match?.groups?.["file"];
  if (file === undefined)
    throw new MillraceError("ERR_STORE_URL", `${JSON.stringify(url)} is no store's URL.`);
  mkdirSync(dirname(file), { recursive: true });
  const bytes = match?.groups?.["bytes"];
  return { file, ...(bytes === undefined ? {} : { maxBytes: Number(bytes) }) };
}
