import type { EngineChoice } from "../../../runtime/wasm/choice.ts";
import { engineOption, fuelOption } from "../engine-option.ts";
import { secretsOption } from "../secrets-option.ts";
import type { DefineCommand } from "../program.ts";

/** The options of `run`. */
export interface RunOptions {
  readonly event?: string;
  readonly project: string;
  readonly engine: EngineChoice;
  readonly fuel?: number;
  readonly seed?: string;
  readonly secrets?: string;
}

const help = `
The event is JSON, a file or - for stdin. Without a name it gets the name that the function's first trigger wants.
A function with a batch takes a list of events too, and begins with all of them at once; one that is put off does so too.
With --seed the same components, event and seed give the same outputs: an event without an id and a time gets them of it.
Without --event, event.json beside the function's document is taken where it is there, and {} where it is not.

Examples:
  $ millrace run welcome --event '{"data":{"plan":"pro"},"user":{"id":"u1"}}'
  $ millrace run order --event examples/order/event.json --project examples --json
  $ millrace run welcome --seed 1
  $ echo '{"data":{}}' | millrace run welcome --event -
`;

export const defineRun: DefineCommand = (command, act) => {
  command
    .argument("<function>", "the function's id")
    .option("--event <event>", "the event: JSON, a file, or - for stdin")
    .option("--project <dir>", "a folder of the project", ".")
    .option("--seed <text>", "fix clocks and randomness of Wasm steps that name no seed")
    .addOption(engineOption())
    .addOption(fuelOption())
    .addOption(secretsOption())
    .addHelpText("after", help)
    .action((functionId: string, options: RunOptions) =>
      act(async (terminal) => {
        const { runOnce } = await import("../run-once.ts");
        return runOnce(functionId, options, terminal);
      }),
    );
};
