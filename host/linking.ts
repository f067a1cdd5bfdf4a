import type { Clock } from "./clock.ts";
import { MillraceError } from "./errors.ts";
import { checkOpen, linkWait } from "./run/answer.ts";
import type { Commands } from "./executor/commands.ts";
import type { Definitions } from "./executor/definitions.ts";
import { foldHistory } from "./run/run-view.ts";
import type { Host } from "./host.ts";
import type { LinkPlace, Links } from "./links.ts";
import type { Runs } from "./state/state.ts";

interface LinkingOptions {
  readonly links: Pick<Links, "read">;
  readonly runs: Pick<Runs, "load">;
  readonly definitions: Pick<Definitions, "get">;
  readonly commands: Pick<Commands, "answer">;
  readonly clock: Clock;
}

/** What people can do with a link, on any host of the store. */
export function createLinking({ links, runs, definitions, commands, clock }: LinkingOptions): Host["links"] {
  const placeOf = async (token: string): Promise<LinkPlace> => {
    const place = await links.read(token);
    if (place !== undefined) return place;
    throw new MillraceError("ERR_LINK_UNKNOWN", "There is no such link.");
  };
  return {
    async open(token) {
      const { runId, wait } = await placeOf(token);
      const run = await runs.load(runId);
      const definition = run && (await definitions.get(run.functionId, run.functionVersion));
      if (run === undefined || definition === undefined) {
        throw new MillraceError("ERR_LINK_UNKNOWN", "There is no run that the link is for.");
      }
      const { link } = linkWait(definition, wait);
      checkOpen(foldHistory(run.history), wait, clock.now());
      return { ...link, functionName: definition.name };
    },
    async answer(token, answer) {
      const { runId, wait } = await placeOf(token);
      await commands.answer(runId, wait, answer);
    },
  };
}
