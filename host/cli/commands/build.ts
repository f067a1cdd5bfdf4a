import type { DefineCommand } from "../program.ts";

const help = `
Examples:
  $ millrace build
  $ millrace build examples --json
`;

export const defineBuild: DefineCommand = (command, act) => {
  command
    .argument("[dir]", "a folder of the project", ".")
    .addHelpText("after", help)
    .action((dir: string) =>
      act(async (terminal) => {
        const { openProject, projectError, shown, versionOf } = await import("../project.ts");
        const { buildProject } = await import("../../build/build.ts");
        const { tellProgress } = await import("../build-text.ts");
        const { catchInterrupts } = await import("../interrupt.ts");
        const interrupt = catchInterrupts();
        const project = await openProject(dir);
        const { functions, problems } = await buildProject(project, {
          signal: interrupt.signal,
          onProgress: tellProgress(terminal, { cached: true }),
        }).finally(interrupt.close);
        const all = [...project.problems, ...problems];
        if (all.length > 0) throw projectError(all);
        const now = Date.now();
        const built = functions.map((one) => ({ ...one, ...versionOf(one, now), file: shown(one.file) }));
        if (terminal.json) {
          return terminal.printJson({
            functions: built.map(({ functionId, version, file, components }) => ({
              id: functionId,
              version,
              file,
              components,
            })),
          });
        }
        const { table } = await import("../table.ts");
        const columns = ["FUNCTION", "VERSION", "STEPS", "DOCUMENT"].map((heading) => ({ heading }));
        const rows = built.map(({ functionId, version, document, file }) => [
          functionId,
          version,
          Object.keys(document.steps).join(", "),
          file,
        ]);
        for (const line of table(columns, rows, (text) => terminal.out("dim", text))) terminal.print(line);
      }),
    );
};
