/** The languages that Wasm steps are built from; also the value of `runtime.language` and each one's file of the builder. */
export const languages = ["javascript", "rust", "go", "c", "python", "zig"] as const;

/** One of them. TypeScript is `javascript`, C++ is `c`. */
export type LanguageName = (typeof languages)[number];
