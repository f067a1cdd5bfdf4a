import type { HistoryEntry } from "../run/history.ts";
import type { Host } from "../host.ts";
import type { LiveMessage } from "../live.ts";
import type { StoredRun } from "../state/state.ts";
import type { LiveClient, LiveHub, LiveSink } from "./live-hub.ts";

const endings = new Set<HistoryEntry["type"]>(["run.completed", "run.failed", "run.cancelled"]);

/** Whether a client that has seen the history up to `lastSeen` has seen all there will ever be. */
export function isSeen(run: StoredRun, lastSeen: number): boolean {
  return run.finishedAt !== undefined && lastSeen >= run.history.length;
}

/**
 * Streams one run: its history behind sequence `lastSeen`, then what happens, until it has finished. Every entry comes
 * once and in order, though the history is read while the run goes on.
 */
export async function followRun(
  sink: LiveSink,
  options: {
    readonly runs: Host["runs"];
    readonly hub: LiveHub;
    readonly runId: string;
    readonly lastSeen: number;
    /** Which of the run's messages are sent. */
    readonly wants: (message: LiveMessage) => boolean;
    readonly onClient: (client: LiveClient) => void;
  },
): Promise<void> {
  const { runs, hub, runId, wants } = options;
  let sent = options.lastSeen;
  /** What comes while the history is being read; undefined once it is. */
  let early: LiveMessage[] | undefined = [];

  const send = (message: LiveMessage): void => {
    if (message.type !== "history") {
      if (wants(message)) client.send(format(message));
      return;
    }
    if (message.seq <= sent) return;
    sent = message.seq;
    if (wants(message)) client.send(`id: ${message.seq}\n${format(message)}`);
    if (endings.has(message.entry.type)) client.end();
  };
  // Listening begins before the history is read, so that nothing falls between the two.
  const client = hub.add(sink, (message) => {
    if (!("runId" in message) || message.runId !== runId) return undefined;
    if (early === undefined) send(message);
    else early.push(message);
    return undefined;
  });
  options.onClient(client);

  const run = await runs.load(runId);
  run?.history.forEach((entry, index) => {
    const { functionId } = run;
    send({ type: "history", at: entry.at, runId, functionId, entry, seq: index + 1 });
  });
  const waiting = early;
  early = undefined;
  for (const message of waiting) send(message);
}

function format(message: LiveMessage): string {
  return `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`;
}
