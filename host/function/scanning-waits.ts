import { define, functionVersion } from "./define.ts";
import type { FunctionDocument } from "./document.ts";

/** The waits of a document, in words, of which each event of their name is tried against every run that waits. */
export function scanningWaits(document: FunctionDocument): readonly string[] {
  const { waits } = define(functionVersion(document, {}, 0));
  return (
    [...waits.values()]
      // A link names its wait.
      .filter(({ index, link }) => index === undefined && link === undefined)
      .map(({ event, from, cancels }) => {
        const which = cancels === true ? "that it may cancel" : `that waits after ${from}`;
        return `${document.id} tries each ${event} against every run ${which}`;
      })
  );
}
