import type { LanguageName } from "../../function/language.ts";
import { c } from "./c.ts";
import { go } from "./go.ts";
import { javascript } from "./javascript.ts";
import type { Language } from "./language.ts";
import { python } from "./python.ts";
import { rust } from "./rust.ts";
import { zig } from "./zig.ts";

/** The one list of languages. */
export const buildLanguages: Readonly<Record<LanguageName, Language>> = {
  javascript,
  rust,
  go,
  c,
  python,
  zig,
};
