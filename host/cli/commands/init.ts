import { Option } from "commander";
import { type StarterName, starters } from "../../build/templates/starters.ts";
import { CliError } from "../errors.ts";
import { languageOf } from "../language-name.ts";
import type { DefineCommand } from "../program.ts";

interface InitOptions {
  readonly lang?: StarterName;
  readonly typed?: boolean;
  readonly trigger?: string;
  readonly name?: string;
  readonly force?: boolean;
}

const help = `
On a terminal it asks for what is not given; elsewhere it takes js and user/signed.up.

Examples:
  $ millrace init hello
  $ millrace init hello --lang ts --trigger order/placed
  $ millrace init hello --lang rust --typed
`;

export const defineInit: DefineCommand = (command, act) => {
  command
    .argument("[dir]", "the folder to make it in", ".")
    .addOption(
      new Option("--lang <language>", "the language of the steps").choices(starters).argParser(languageOf),
    )
    .option("--typed", "the first step exports the typed handler, instead of being a program")
    .option("--trigger <event>", "the name of the event that starts the function")
    .option("--name <name>", "the function's name (default: the folder's)")
    .option("--force", "write into a folder that has files, over those of the same names")
    .addHelpText("after", help)
    .action((dir: string, options: InitOptions) =>
      act(async (terminal) => {
        const { basename, resolve } = await import("node:path");
        const { scaffold } = await import("../../build/scaffold.ts");
        const { askFor } = await import("../questions.ts");
        const { language, trigger } = await askFor(
          { language: options.lang, trigger: options.trigger },
          process.stdin.isTTY && terminal.interactive,
        );
        const made = scaffold(dir, {
          language,
          trigger,
          name: options.name ?? basename(resolve(dir)),
          ...(options.typed === undefined ? {} : { typed: options.typed }),
          ...(options.force === undefined ? {} : { force: options.force }),
        });
        const { functionId, files } = await made.catch((cause: NodeJS.ErrnoException) => {
          if (cause.code !== "ENOTDIR" && cause.code !== "EEXIST") throw cause;
          const message = `${dir} can't be the project's folder: it, or a part of its path, is a file.`;
          throw new CliError("ERR_INPUT_FILE", message, { cause, next: "Choose another folder." });
        });
        if (terminal.json) return terminal.printJson({ folder: resolve(dir), functionId, files });
        for (const file of files) terminal.print(`${terminal.out("green", "wrote")}  ${file}`);
        terminal.print("");
        terminal.print("Next:");
        // npx does not leave the command behind.
        const millrace = process.env["npm_command"] === "exec" ? "npx millrace" : "millrace";
        if (dir !== ".") terminal.print(`  cd ${/^[\w./~-]+$/.test(dir) ? dir : JSON.stringify(dir)}`);
        terminal.print(`  ${millrace} run ${functionId}`);
        terminal.print(`  ${millrace} dev`);
      }),
    );
};
