import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { triggerEvent } from "../../function/document.ts";
import type { Host } from "../../host.ts";
import { isObject } from "../event-source.ts";
import { shown } from "../project.ts";
import { problemLines } from "../report.ts";
import type { Terminal } from "../terminal.ts";
import { span, timeOfDay } from "../time.ts";
import { triggerText } from "../trigger-text.ts";
import type { Reload } from "./session.ts";

interface Ready {
  readonly url: string;
  readonly key: string;
  readonly store: string;
  readonly watch: boolean;
  readonly host: Host;
  readonly reload: Reload;
}

/** Says that events can be sent, and how. */
export async function tellReady(ready: Ready, terminal: Terminal): Promise<void> {
  const { url, key, store, watch, host, reload } = ready;
  // Since the process began, loading Node included.
  const ms = Math.round(performance.now());
  const functions = host.functions();
  if (terminal.json) {
    const ids = functions.map(({ functionId, version }) => ({ id: functionId, version }));
    terminal.printJson({ type: "ready", url, ms, functions: ids, problems: reload.problems });
    return;
  }
  const { out } = terminal;
  const field = (name: string, value: string): void =>
    terminal.print(`  ${out("dim", name.padEnd(10))} ${value}`);
  tellProblems(reload, terminal);
  for (const { functionId, document } of functions) {
    field(
      "function",
      `${out("bold", functionId)} on ${document.triggers.map((trigger) => triggerText(trigger)).join(", ")}`,
    );
  }
  field("store", store);
  if (watch) field("watching", shown(reload.project.root));
  const event = await sampleEvent(reload);
  const data = `'${event.replaceAll("'", String.raw`'\''`)}'`;
  field("try", `curl -H 'content-type: application/json' -d ${data} ${url}/e/${encodeURIComponent(key)}`);
  terminal.print(
    `${out("green", "ready")} in ${span(ms)} at ${out("bold", url)} ${out("dim", "· Ctrl-C stops it")}`,
  );
}

/** Says what a change came to; nothing where nothing came of it. */
export function tellReload(reload: Reload, ms: number, terminal: Terminal): void {
  const { updated, removed, problems } = reload;
  if (terminal.json) {
    terminal.printJson({ type: "reloaded", updated, removed, problems, ms: Math.round(ms) });
    return;
  }
  tellProblems(reload, terminal);
  const at = terminal.out("dim", timeOfDay(Date.now()));
  const parts = [
    ...(updated.length === 0 ? [] : [`updated ${updated.join(", ")}`]),
    ...(removed.length === 0 ? [] : [`removed ${removed.join(", ")}`]),
  ];
  if (parts.length > 0) {
    terminal.print(
      `${at} ${terminal.out("cyan", "↻")} ${parts.join(", ")} ${terminal.out("dim", `in ${span(ms)}`)}`,
    );
  }
}

function tellProblems({ problems }: Reload, terminal: Terminal): void {
  if (problems.length === 0) return;
  for (const line of problems.flatMap((problem) => problemLines(problem, terminal.out))) terminal.print(line);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  terminal.print(`${terminal.out("red", count)}: what it concerns stays as it was until that is mended`);
}

/** The event that lies beside the first function's document, else one with the name it waits for. */
async function sampleEvent({ project }: Reload): Promise<string> {
  const [first] = project.functions;
  if (first === undefined) return '{"name":"test/event","data":{}}';
  const [trigger] = first.document.triggers;
  const name = trigger === undefined ? "test/event" : triggerEvent(first.document.id, trigger);
  try {
    const event = JSON.parse(await readFile(join(dirname(first.file), "event.json"), "utf8")) as unknown;
    if (isObject(event)) return JSON.stringify({ name, ...event });
  } catch {
    // None there, or not for us to complain of.
  }
  return JSON.stringify({ name, data: {} });
}
