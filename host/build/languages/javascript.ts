import type { Language } from "./language.ts";

/** JavaScript and TypeScript, on QuickJS; package.json counts where it names a program. */
export const javascript: Language = {
  name: "javascript",
  title: "JavaScript or TypeScript",
  extensions: [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"],
  manifests: [],
  async open(cache) {
    const { createJavascriptBuilder } = await import("../javascript.ts");
    return createJavascriptBuilder(cache);
  },
};
