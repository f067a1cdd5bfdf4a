import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command, CommanderError } from "commander";
import { CliError, cliErrors, exitCodeHelp, exitCodes } from "./errors.ts";
import { reportError } from "./report.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** Runs a command's work with the terminal; what it resolves to is the exit code, 0 when it is nothing. */
export type Act = (work: (terminal: Terminal) => Promise<number | void>) => Promise<void>;

/** What a command's file exports: it adds arguments, options and the action. */
export type DefineCommand = (command: Command, act: Act) => void;

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<DefineCommand>;
}

/** Each command's file is loaded only when it is called. */
const commands: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "make a project with a function that runs at once",
    load: async () => (await import("./commands/init.ts")).defineInit,
  },
  {
    name: "build",
    summary: "check the project and build its steps",
    load: async () => (await import("./commands/build.ts")).defineBuild,
  },
  {
    name: "inspect",
    summary: "show what a component is and what it imports",
    load: async () => (await import("./commands/inspect.ts")).defineInspect,
  },
  {
    name: "dev",
    summary: "run the project here, and take up every change",
    load: async () => (await import("./commands/dev.ts")).defineDev,
  },
  {
    name: "start",
    summary: "run a host in production",
    load: async () => (await import("./commands/start.ts")).defineStart,
  },
  {
    name: "push",
    summary: "build the project and deploy it",
    load: async () => (await import("./commands/push.ts")).definePush,
  },
  {
    name: "run",
    summary: "run one function once, in this process",
    load: async () => (await import("./commands/run.ts")).defineRun,
  },
  {
    name: "send",
    summary: "send an event to a host",
    load: async () => (await import("./commands/send.ts")).defineSend,
  },
  {
    name: "runs",
    summary: "list and show the runs of a host",
    load: async () => (await import("./commands/runs.ts")).defineRuns,
  },
  {
    name: "functions",
    summary: "list the functions of a host",
    load: async () => (await import("./commands/functions.ts")).defineFunctions,
  },
  {
    name: "events",
    summary: "list the events that a host stored",
    load: async () => (await import("./commands/events.ts")).defineEvents,
  },
  {
    name: "dead-letters",
    summary: "messages on the broker that are no events",
    load: async () => (await import("./commands/dead-letters.ts")).defineDeadLetters,
  },
  {
    name: "doctor",
    summary: "check that everything Millrace needs is here",
    load: async () => (await import("./commands/doctor.ts")).defineDoctor,
  },
];

const rootHelp = `
Examples:
  $ millrace init hello && cd hello && millrace dev
  $ millrace send user/signed.up --data '{"plan":"pro"}'
  $ millrace runs show

${exitCodeHelp}

Environment:
  MILLRACE_URL      the host that push, send, runs, functions, events and dead-letters talk to
  MILLRACE_KEY      the event key of send
  MILLRACE_API_KEY  the key of the API that reads and deploys, where the host asks for one
  MILLRACE_BROKER   the store of start, and of push where no host is named; each setting of start has
                    its variable: see millrace start --help
  NO_COLOR          no colours
`;

/** Runs the command line `argv` (without node and script) and sets the process's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const flags = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
  const terminal = createTerminal({ json: flags.includes("--json"), verbose: flags.includes("--verbose") });
  let exitCode: number = exitCodes.ok;
  // Also what fails outside of any command's own work ends without a stack, and with a code.
  // eslint-disable-next-line unicorn/no-process-exit -- the state is unknown from here on.
  process.once("uncaughtException", (error) => process.exit(reportError(error, terminal)));
  try {
    const program = await createProgram(argv, async (work) => {
      exitCode = (await work(terminal)) ?? exitCodes.ok;
    });
    if (argv.length === 0) program.help({ error: true });
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    exitCode =
      error instanceof CommanderError
        ? usageExit(error, argv, terminal)
        : reportError(withHelp(error, argv), terminal);
  }
  await terminal.flush();
  // What a command leaves behind (a warm worker, an idle connection) must not hold the shell.
  // eslint-disable-next-line unicorn/no-process-exit -- everything is closed and flushed.
  process.exit(exitCode);
}

async function createProgram(argv: readonly string[], act: Act): Promise<Command> {
  const program = new Command("millrace")
    .description("Event-driven functions: a JSON DAG of sandboxed WebAssembly steps.")
    .version(version(), "-V, --version")
    .option("--json", "answer in JSON, for programs")
    .option("--verbose", "print stacks and details")
    .addHelpText("after", rootHelp)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => styleText("bold", text, { validateStream: false }),
      styleCommandText: (text) => styleText("cyan", text, { validateStream: false }),
      styleSubcommandText: (text) => styleText("cyan", text, { validateStream: false }),
      styleOptionText: (text) => styleText("cyan", text, { validateStream: false }),
    });
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(capital(summary)).summary(summary);
    if (isCalled(name, argv)) (await load())(command, act);
  }
  return program;
}

/** All options before a command are switches, so the first word is the command; or the one after `help`. */
function isCalled(name: string, argv: readonly string[]): boolean {
  const [first, second] = argv.filter((argument) => !argument.startsWith("-"));
  return first === name || (first === "help" && second === name);
}

function usageExit(error: CommanderError, argv: readonly string[], terminal: Terminal): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (error.code === "commander.help") return exitCodes.input;
  const message = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  return reportError(new CliError("ERR_USAGE", message, { next: seeHelp(argv) }), terminal);
}

/** A wrong use that a command found by itself leads to that command's help too, where it knows nothing better. */
function withHelp(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof CliError) || error.code !== "ERR_USAGE" || error.next !== cliErrors.ERR_USAGE.next)
    return error;
  return new CliError("ERR_USAGE", error.message, { next: seeHelp(argv), cause: error });
}

function seeHelp(argv: readonly string[]): string {
  const called = commands.find(({ name }) => isCalled(name, argv));
  return `See \`millrace ${called === undefined ? "" : `${called.name} `}--help\`.`;
}

function version(): string {
  const text = readFileSync(new URL(import.meta.resolve("millrace/package.json")), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
