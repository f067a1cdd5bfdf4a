import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProjectFunction } from "../../build/project.ts";
import { normalCapabilities } from "../../function/capabilities.ts";
import { projectSecretsFile, readSecrets } from "../settings/secrets-file.ts";
import { span } from "../time.ts";
import type { Check } from "./check.ts";
import { runProgram } from "./engine-check.ts";

/** The builder: a JavaScript step becomes a component, and the component runs. */
export const builderCheck: Check = {
  name: "builder",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "millrace-doctor-"));
    try {
      const { loadProject } = await import("../../build/project.ts");
      const { buildProject } = await import("../../build/build.ts");
      const steps = { only: { path: "file://./only.js" } };
      const document = { id: "doctor", triggers: [{ event: "doctor" }], steps };
      await writeFile(join(folder, "function.json"), JSON.stringify(document));
      await writeFile(join(folder, "only.js"), 'export default async () => "built";\n');
      const project = await loadProject(folder);
      const begun = performance.now();
      const { functions, problems } = await buildProject(project);
      const took = performance.now() - begun;
      const [problem] = [...project.problems, ...problems];
      if (problem !== undefined) return { status: "failed", detail: `${problem.code} ${problem.message}` };
      const component = functions[0]?.components["only"];
      if (component === undefined) return { status: "failed", detail: "no component came of a step" };
      const result = await runProgram(await component.bytes(), "built", join(folder, "cache"));
      return result.status === "ok"
        ? {
            status: "ok",
            detail: `esbuild and componentize-qjs, a JavaScript step built in ${span(took)}, ${result.detail}`,
          }
        : result;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The project that the working folder is in, if any. */
export const projectCheck: Check = {
  name: "project",
  async run() {
    const { findProject, loadProject } = await import("../../build/project.ts");
    const { shown } = await import("../project.ts");
    const root = await findProject(".");
    const { functions, problems } = await loadProject(shown(root));
    if (functions.length === 0 && problems.length === 0) {
      return { status: "ok", detail: "none here: `millrace init` makes one" };
    }
    const [first] = problems;
    if (first === undefined) {
      const ids = functions.map(({ document }) => document.id).join(", ");
      const detail = `${shown(root)} with ${ids}`;
      const missing = await missingSecrets(root, functions);
      if (missing.length === 0) return { status: "ok", detail };
      return {
        status: "warning",
        detail: `${detail}; no value here for ${missing.join(", ")}`,
        next: "Put them into .millrace/secrets.json, or into MILLRACE_SECRET_<NAME>.",
      };
    }
    const place = [first.file, first.line, first.column].filter((part) => part !== undefined).join(":");
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    return {
      status: "failed",
      detail: `${place}: ${first.code}: ${first.message}${more}`,
      next: "`millrace build` lists all problems.",
    };
  },
};

/** Secrets that steps of the project name, and that a host started here would have no value for. */
async function missingSecrets(
  root: string,
  functions: readonly ProjectFunction[],
): Promise<readonly string[]> {
  const steps = functions.flatMap(({ document }) => Object.values(document.steps));
  const wanted = steps.flatMap(({ capabilities }) =>
    Object.keys(normalCapabilities(capabilities ?? {}).secrets ?? {}),
  );
  if (wanted.length === 0) return [];
  const { env } = process;
  const { secrets } = await readSecrets(env["MILLRACE_SECRETS"] || (await projectSecretsFile(root)), env);
  return [...new Set(wanted)].filter((name) => !secrets.has(name)).toSorted();
}
