import type { DefineCommand } from "../program.ts";
import { addSettings, settingsHelp } from "../settings/flags.ts";
import { hostSettings } from "../settings/table.ts";

/** The options of `start` that are no settings; the settings' flags are beside them. */
export interface StartOptions extends Readonly<Record<string, unknown>> {
  readonly config?: string;
  readonly printConfig?: boolean;
}

const help = `
It deploys nothing: functions come from \`millrace push\`. GET /healthz and /readyz are for supervisors. SIGTERM ends it:
nothing new is taken, what is under way may go on for --grace, and the rest is handed back.

${settingsHelp}

Examples:
  $ millrace start --broker nats://127.0.0.1:4222 --key $KEY --api-key $API_KEY --host 0.0.0.0
  $ millrace start --config /etc/millrace.json --json
  $ millrace start --config /etc/millrace.json --print-config
`;

export const defineStart: DefineCommand = (command, act) => {
  addSettings(command, hostSettings)
    .option("--config <file>", "settings in JSON with comments")
    .option("--print-config", "print the settings in force and where each came from, and end")
    .addHelpText("after", help)
    .action((options: StartOptions) =>
      act(async (terminal) => {
        const { startHost } = await import("../start/start.ts");
        await startHost(options, terminal);
      }),
    );
};
