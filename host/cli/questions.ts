import { CliError } from "./errors.ts";

/** What `init` has to know. */
export interface Answers {
  readonly language: "js" | "ts";
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
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const stop = new AbortController();
  lines.once("close", () => stop.abort());
  const ask = async (question: string, byDefault: string): Promise<string> => {
    const answer = await lines.question(`${question} (${byDefault}): `, { signal: stop.signal });
    return answer.trim() === "" ? byDefault : answer.trim();
  };
  try {
    return {
      language: language ?? languageOf(await ask("Language, js or ts", defaults.language)),
      trigger: trigger ?? (await ask("Event that starts the function", defaults.trigger)),
    };
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new CliError("ERR_USAGE", "The questions were not answered; nothing was written.", {
      next: "Give --lang and --trigger.",
    });
  } finally {
    lines.close();
  }
}

function languageOf(answer: string): "js" | "ts" {
  const word = answer.toLowerCase();
  if (word === "ts" || word === "typescript") return "ts";
  if (word === "js" || word === "javascript") return "js";
  throw new CliError("ERR_USAGE", `${JSON.stringify(answer)} is none of the languages js and ts.`);
}
