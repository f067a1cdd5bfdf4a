import type { DefineCommand } from "../program.ts";

const help = `
It compiles and runs a WebAssembly program, writes an embedded store, builds a step, and checks the project that the
working folder is in. It exits with 1 when something is missing that Millrace needs.

Examples:
  $ millrace doctor
  $ millrace doctor --json
`;

export const defineDoctor: DefineCommand = (command, act) => {
  command.addHelpText("after", help).action(() =>
    act(async (terminal) => {
      const { examine } = await import("../doctor/doctor.ts");
      return examine(terminal);
    }),
  );
};
