import { functionVersion } from "../../../host/function/define.ts";
import type { EdgeDocument } from "../../../host/function/document.ts";
import type { Program } from "../in-process-driver.ts";

/** How long after its beginning, or after a step, each thing of a run is due, in milliseconds. */
export const due = { later: 700, never: 1_500 } as const;

function waitFor(step: string, event: string, ttl = "1h"): EdgeDocument {
  return { step, async: { event, ttl, match: "async.data.n == event.data.n" } };
}

/** A function whose runs wait: for an event, for one behind a timer, for none that comes, and for time. */
export const crashVersion = functionVersion(
  {
    id: "f",
    triggers: [{ event: "begun" }],
    steps: {
      first: { after: [waitFor("$trigger", "first")] },
      later: { after: [{ step: "$trigger", wait: `${due.later}ms` }] },
      second: { after: [waitFor("later", "second")] },
      never: {
        after: [
          {
            step: "$trigger",
            async: {
              event: "never",
              ttl: `${due.never}ms`,
              match: "async.data.n == event.data.n",
              onTimeout: true,
            },
          },
        ],
      },
      last: { after: ["first", "second", "never"].map((step) => ({ step })) },
    },
  },
  {},
  0,
);

const awaited: Program = ({ async }) => (async?.data as { n: number } | undefined)?.n ?? null;

export const crashPrograms: Readonly<Record<string, Program>> = {
  first: awaited,
  later: () => null,
  second: awaited,
  never: () => null,
  last: () => "last",
};
