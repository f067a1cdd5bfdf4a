import type { Concurrency } from "../flow-control/concurrency.ts";
import type { StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import { foldHistory } from "../run/run-view.ts";

interface ReleaseOptions {
  readonly definitions: Pick<Definitions, "get">;
  readonly concurrency: Concurrency;
  /** The run is over, and does not only rest. */
  readonly over: boolean;
}

/** Gives back the slots of a run that nobody holds and that has nothing to execute: its host may have ended before. */
export async function releaseStored(
  run: StoredRun,
  { definitions, concurrency, over }: ReleaseOptions,
): Promise<void> {
  const definition = await definitions.get(run.functionId, run.functionVersion);
  if (definition?.flowControl?.concurrency === undefined) return;
  const { event, queued } = foldHistory(run.history);
  if (event === undefined) return;
  await concurrency.release({ runId: run.id, definition, event, revision: run.revision, queued }, over);
}
