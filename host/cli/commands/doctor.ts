import type { DefineCommand } from "../program.ts";
import { addSettings, natsSettings } from "../settings/flags.ts";

const help = `
It compiles and runs a WebAssembly program, writes an embedded store, builds a step, checks the project that the
working folder is in, and looks for the toolchains of all languages; with --broker (or MILLRACE_BROKER) also whether a store will do. It exits with 1 when something is missing that Millrace needs.

Examples:
  $ millrace doctor
  $ millrace doctor --broker nats://127.0.0.1:4222 --json
`;

export const defineDoctor: DefineCommand = (command, act) => {
  command.option("--broker <url>", "check this store too: nats://… or sqlite:<file>");
  addSettings(command, natsSettings)
    .addHelpText("after", help)
    .action((options: object) =>
      act(async (terminal) => {
        const { examine } = await import("../doctor/doctor.ts");
        const { storeSettingsOf } = await import("../settings/flags.ts");
        return examine(storeSettingsOf(options), terminal);
      }),
    );
};
