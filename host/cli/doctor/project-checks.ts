import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
      return { status: "ok", detail: `${shown(root)} with ${ids}` };
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
