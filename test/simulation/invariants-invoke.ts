import { isDeepStrictEqual } from "node:util";
import { outputOfRun } from "../../host/run/output.ts";
import { foldHistory } from "../../host/run/run-view.ts";
import type { RunRecord } from "./server-runs.ts";
import type { Server } from "./server.ts";

type Violated = (what: string) => void;

/** What becomes of a step that invokes a function is what became of the one run that it invoked. */
export function checkInvoked({ header, history }: RunRecord, server: Server, violated: Violated): void {
  const ids = new Set<string>();
  for (const [index, entry] of history.entries()) {
    if (entry.type !== "step.invoked") continue;
    const { step, attempt, event, runId } = entry;
    ids.add(event.id);
    const told: Violated = (what) => violated(`step ${step}, attempt ${attempt}: ${what}`);
    const copies = server.stored.filter((stored) => stored.event.id === event.id).length;
    if (copies > 1) told(`its event is stored ${copies} times`);
    const child = server.runs.records.get(runId);
    const end = history
      .slice(index)
      .find((one) => "startedAt" in one && one.step === step && one.attempt === attempt);
    if (end === undefined) {
      if (history.at(-1)?.type !== "run.cancelled") told("nothing came of it");
    } else if (end.type === "step.completed") {
      const output = child && outputOfRun(foldHistory(child.history));
      if (child?.update.status !== "completed") told(`it completed, and its run is ${child?.update.status}`);
      else if (!isDeepStrictEqual(output, end.output)) told("its output is not that of its run");
    } else if (end.type === "step.failed") {
      const { code } = end.failure;
      if (code === "ERR_STEP_INVOKED_FAILED" && child?.update.status !== "failed")
        told(`it failed, and its run is ${child?.update.status}`);
      if (code === "ERR_STEP_INVOKE_TIMEOUT" && end.at < (entry.until ?? Number.POSITIVE_INFINITY))
        told("it timed out too early");
      if (child?.update.status === "completed" && child.update.finishedAt! < end.at - 60_000)
        told("it failed, and its run had completed long before");
    }
  }
  for (const { event } of server.stored) {
    const { attributes = {} } = event;
    if (attributes["millracerun"] !== header.id || attributes["millraceattempt"] === undefined) continue;
    if (!ids.has(event.id)) violated(`nobody says that it invoked ${event.name} by ${event.id}`);
  }
}
