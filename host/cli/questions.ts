import { type StarterName, starters } from "../build/templates/starters.ts";
import { CliError } from "./errors.ts";
import { languageOf } from "./language-name.ts";

/** What `init` has to know. */
export interface Answers {
  readonly language: StarterName;
  readonly trigger: string;
}

const defaults: Answers = { language: "js", trigger: "user/signed.up" };

/** Fills in what was not given: by asking where a person is there, with the defaults elsewhere. */
export async function askFor(
  given: { readonly [Name in keyof Answers]: Answers[Name] | undefined },
  interactive: boolean,
): Promise<Answers> {
  const { language, trigger } = given;
  if (!interactive || (language !== undefined && trigger !== undefined)) {
    return { language: language ?? defaults.language, trigger: trigger ?? defaults.trigger };
  }
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Unlike question(), the iterator loses no line that was typed ahead.
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (question: string, byDefault: string): Promise<string> => {
    terminal.setPrompt(`${question} (${byDefault}): `);
    terminal.prompt();
    const answer = await lines.next();
    if (answer.done === true) {
      throw new CliError("ERR_USAGE", "The questions were not answered; nothing was written.", {
        next: "Give --lang and --trigger.",
      });
    }
    return answer.value.trim() === "" ? byDefault : answer.value.trim();
  };
  try {
    return {
      language: language ?? languageOf(await ask(`Language (${starters.join(", ")})`, defaults.language)),
      trigger: trigger ?? (await ask("Event that starts the function", defaults.trigger)),
    };
  } finally {
    terminal.close();
  }
}
