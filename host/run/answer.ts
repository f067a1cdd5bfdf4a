import type { Json } from "../../runtime/json.ts";
import { MillraceError } from "../errors.ts";
import type { Definition, LinkDefinition, WaitDefinition } from "../function/definition.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";

/** What somebody answered by a link. */
export interface LinkAnswer {
  readonly answer: string;
  /** Whatever else was said. */
  readonly fields: Readonly<Record<string, Json>>;
}

/** What a link asks, for whoever opens it. */
export interface LinkQuestion extends LinkDefinition {
  readonly functionName: string;
}

/** A wait that a link ends. Throws ERR_LINK_UNKNOWN. */
export function linkWait(
  definition: Definition,
  id: string,
): WaitDefinition & { readonly link: LinkDefinition } {
  const wait = definition.waits.get(id);
  if (wait?.link !== undefined) return { ...wait, link: wait.link };
  throw new MillraceError("ERR_LINK_UNKNOWN", "The link is for nothing that the run waits for.");
}

/** Throws ERR_LINK_USED and ERR_LINK_EXPIRED unless the wait can be answered, be it that it has not begun. */
export function checkOpen(view: RunView, wait: string, at: number): void {
  const known = view.waits.get(wait);
  const answered = view.answers.get(wait) ?? (known?.status === "matched" ? known.event : undefined);
  if (answered !== undefined) {
    const { answer } = answered.data as { readonly answer: string };
    throw new MillraceError("ERR_LINK_USED", `It was answered already: ${answer}.`);
  }
  const over = "Nobody waits for an answer any more";
  if (view.finished !== undefined) throw new MillraceError("ERR_LINK_EXPIRED", `${over}: the run is over.`);
  const late = known?.status === "timedOut" || (known?.until ?? Number.POSITIVE_INFINITY) < at;
  if (late) throw new MillraceError("ERR_LINK_EXPIRED", `${over}: its time is over.`);
  if (known?.status === "cancelled") throw new MillraceError("ERR_LINK_EXPIRED", `${over}.`);
}

/** What the history says of an answer. Throws ERR_LINK_USED, ERR_LINK_EXPIRED and ERR_LINK_ANSWER. */
export function answerEntry(
  wait: WaitDefinition & { readonly link: LinkDefinition },
  view: RunView,
  { runId, at, answer, fields }: LinkAnswer & { readonly runId: string; readonly at: number },
): HistoryEntry {
  checkOpen(view, wait.id, at);
  if (!wait.link.answers.includes(answer)) {
    const message = `${JSON.stringify(answer)} is no answer to this; ${wait.link.answers.join(", ")} are.`;
    throw new MillraceError("ERR_LINK_ANSWER", message);
  }
  const event = { id: `${runId}/${wait.id}`, name: wait.event, data: { ...fields, answer }, ts: at };
  return { type: "wait.answered", at, wait: wait.id, event };
}
