import { functionDigestOf } from "../run/run-id.ts";
import { compareAndSet } from "../nats/compare-and-set.ts";
import { storeError } from "../nats/publisher.ts";
import { readLastOf } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { decodeChange, type RunChange } from "./nats-run-record.ts";
import type { Assignment, RunHeader, Runs } from "./state.ts";

/** Where an assignment stands, as the last message of the subject of a run of the event's own. */
interface Found {
  readonly seq: number;
  /** Undefined: it has such a run. */
  readonly assignment: Assignment | undefined;
}

/**
 * Which runs have events that began none of their own: a message in the place of that run says so. It goes as that run
 * would: some time after it was over.
 */
export function createNatsAssignments(session: NatsSession): Pick<Runs, "assign" | "reassign" | "assigned"> {
  const { names } = session;
  const { stream } = names.runs;
  const subjectOf = ({ id }: Pick<RunHeader, "id">): string => names.run(functionDigestOf(id), id);

  const find = async (own: Pick<RunHeader, "id">): Promise<Found | undefined> => {
    const last = await readLastOf(session, stream, subjectOf(own));
    if (last === undefined) return undefined;
    const { into: runId, run } = decodeChange(last);
    const assignment = runId === undefined ? undefined : { runId, functionVersion: run.functionVersion };
    return { seq: last.seq, assignment };
  };

  /** Resolves to false when the subject has another message by now. A try whose answer was lost counts as refused. */
  const write = async (own: RunHeader, into: string, over: number): Promise<boolean> => {
    const { createdAt: finishedAt } = own;
    const change: RunChange = {
      run: own,
      update: { status: "completed", finishedAt },
      writer: session.host,
      entries: [],
      into,
    };
    try {
      const payload = JSON.stringify(change);
      return (await compareAndSet(session, { stream, subject: subjectOf(own), over, payload })) !== undefined;
    } catch (error) {
      throw storeError(error);
    }
  };

  return {
    assigned: async (own) => (await find(own))?.assignment,
    assign: (all, into) =>
      Promise.all(
        all.map(async (own) => {
          const written = await write(own, into, 0);
          return written
            ? { runId: into, functionVersion: own.functionVersion }
            : (await find(own))?.assignment;
        }),
      ),
    async reassign(own, from, into) {
      for (;;) {
        const found = await find(own);
        if (found?.assignment?.runId !== from) return found?.assignment;
        const { functionVersion } = found.assignment;
        if (await write({ ...own, functionVersion }, into, found.seq))
          return { runId: into, functionVersion };
      }
    },
  };
}
