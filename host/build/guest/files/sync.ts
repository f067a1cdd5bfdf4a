/** The functions of node:fs that end in Sync. */
export * from "./contents.ts";
export * from "./known.ts";
export * from "./names.ts";
