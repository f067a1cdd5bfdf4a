import { InvalidArgumentError } from "commander";
import type { EngineChoice } from "../../../runtime/wasm/choice.ts";
import { engineOption, fuelOption } from "../engine-option.ts";
import { secretsOption } from "../secrets-option.ts";
import type { DefineCommand } from "../program.ts";
import { defaultPort } from "../host-client.ts";
import { addSettings, natsSettings } from "../settings/flags.ts";

/** The options of `dev`. */
export interface DevOptions extends Readonly<Record<string, unknown>> {
  readonly port: number;
  readonly host: string;
  readonly broker?: string;
  readonly watch: boolean;
  readonly engine: EngineChoice;
  readonly fuel?: number;
  readonly key?: string;
  readonly apiKey?: string;
  readonly secrets?: string;
}

const help = `
Events come in by POST to /e/<key>; without --key any key is taken. Runs and events are kept in .millrace/dev.db.
With --json every line is a JSON object with a type: ready, reloaded, stopped, and what happens live.

Examples:
  $ millrace dev
  $ millrace dev examples --port 0 --broker memory:
  $ millrace dev --broker nats://127.0.0.1:4222
  $ millrace dev --host 0.0.0.0 --key $KEY --api-key $API_KEY
`;

export const defineDev: DefineCommand = (command, act) => {
  command
    .argument("[dir]", "a folder of the project", ".")
    .option("--port <port>", "the port to listen on; 0 takes any free one", parsePort, defaultPort)
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option(
      "--broker <url>",
      "the store: memory:, sqlite:<file> or nats://… (default: sqlite: and .millrace/dev.db in the project)",
    )
    .option("--no-watch", "do not take up changes")
    .addOption(engineOption())
    .addOption(fuelOption())
    .option("--key <key>", "take events with this key alone")
    .option("--api-key <key>", "let runs and events be read with this key alone")
    .addOption(secretsOption());
  addSettings(command, natsSettings)
    .addHelpText("after", help)
    .action((dir: string, options: DevOptions) =>
      act(async (terminal) => {
        const { runDev } = await import("../dev/dev.ts");
        await runDev(dir, options, terminal);
      }),
    );
};

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
}
