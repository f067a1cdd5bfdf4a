import type { DefineCommand } from "../program.ts";

const help = `
What is refused here is refused by build, dev and push too.

Examples:
  $ millrace inspect steps/greet.wasm
  $ millrace inspect steps/greet.wasm --json
`;

export const defineInspect: DefineCommand = (command, act) => {
  command
    .argument("<component>", "a .wasm file: a component, or a core module for WASI preview 1")
    .addHelpText("after", help)
    .action((file: string) =>
      act(async (terminal) => {
        const { inspectFile } = await import("../inspection.ts");
        return inspectFile(file, terminal);
      }),
    );
};
