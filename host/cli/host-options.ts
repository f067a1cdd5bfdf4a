import { InvalidArgumentError, type Command } from "commander";

/** What the options say about the host to talk to. */
export interface HostOptions {
  readonly url?: string;
  readonly apiKey?: string;
}

/** Adds the options of commands that read from a running host. */
export function addHostOptions(command: Command): Command {
  return command
    .option("--url <url>", "the host (default: MILLRACE_URL, or millrace dev on this machine)")
    .option("--api-key <key>", "the key of its reading API (default: MILLRACE_API_KEY)");
}

/** Parses an option's whole number above 0. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number above 0.");
}
