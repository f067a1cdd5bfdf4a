import type { Install } from "../../build/toolchains.ts";
import type { LanguageName } from "../../function/language.ts";
import type { CheckResult } from "./check.ts";

/** What is said of a language that `build` compiles with a toolchain of the user's. */
interface ToolchainResult extends CheckResult {
  readonly name: LanguageName;
  /** The lines that install what is not there. */
  readonly install?: Install;
}

/** Looks for the toolchains of all languages at once. One that is not here is a fault only where the project needs it. */
export async function* toolchainResults(): AsyncGenerator<ToolchainResult> {
  const { buildLanguages } = await import("../../build/languages/languages.ts");
  const { findProject, loadProject } = await import("../../build/project.ts");
  const root = await findProject(".");
  const { functions } = await loadProject(root);
  const needed = new Set(functions.flatMap(({ sources }) => [...sources.values()].map(({ kind }) => kind)));
  const looked = Object.values(buildLanguages).map(
    async ({ name, title, toolchain }): Promise<ToolchainResult | undefined> => {
      const found = await toolchain?.(root);
      if (found === undefined) return undefined;
      if (found.ok) return { name, status: "ok", detail: `${title}: ${found.version}` };
      const { what, install } = found;
      const next = process.platform === "darwin" ? install.macos : install.debian;
      const status = needed.has(name) ? "warning" : "absent";
      const detail =
        status === "warning"
          ? `the project's steps in ${title} can't be built: ${what}`
          : `${title}: ${what}`;
      return { name, status, detail, next, install };
    },
  );
  for (const looking of looked) {
    const result = await looking;
    if (result !== undefined) yield result;
  }
}
