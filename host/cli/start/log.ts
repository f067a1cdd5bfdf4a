import type { ApiLogEntry } from "../../api/options.ts";
import type { Host } from "../../host.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";

/** What a host in production says: lines, or with --json a JSON object a line. */
export interface StartLog {
  ready(parts: { readonly url: string; readonly host: Host }): void;
  /** A fault on the host's side of a request. */
  failure(entry: ApiLogEntry): void;
  /** Tells of what the host notices from now on. */
  follow(host: Pick<Host, "notices">): { close(): void };
  stopping(): void;
  stopped(): void;
}

/** How often the host's notices are looked at, in milliseconds. */
const noticeMs = 1_000;

export function createStartLog(terminal: Terminal): StartLog {
  const { out } = terminal;
  const tell = (type: string, fields: object, line: string): void => {
    if (terminal.json) terminal.printJson({ type, at: Date.now(), ...fields });
    else terminal.print(line);
  };
  return {
    ready({ url, host: { name, setup, functions } }) {
      // Since the process began, loading Node included.
      const ms = Math.round(performance.now());
      const count = functions().length;
      const steps = setup?.engine === undefined ? "" : `, Wasm steps on ${setup.engine.name}`;
      const what = `· ${name} on ${setup?.store ?? ""} with ${count} functions${steps}`;
      tell(
        "ready",
        { url, name, ...setup, functions: count, ms },
        `${out("green", "ready")} in ${span(ms)} at ${out("bold", url)} ${out("dim", what)}`,
      );
    },
    failure: ({ code, message, requestId, error }) =>
      tell(
        "failure",
        { level: "error", code, message, requestId, error },
        `${out("red", code)} ${terminal.verbose ? error : printable(message)} ${out("dim", requestId)}`,
      ),
    follow(host) {
      let told = 0;
      // Not by live messages: those are of all hosts on the store, and have every host send its own.
      const look = (): void => {
        const notices = host.notices();
        for (const notice of notices.slice(told)) {
          const colour = notice.level === "error" ? "red" : "yellow";
          const { functionId = "", code, message } = notice;
          tell("notice", notice, `${out(colour, code)} ${functionId} ${printable(message)}`);
        }
        told = notices.length;
      };
      const timer = setInterval(look, noticeMs);
      return {
        close() {
          clearInterval(timer);
          look();
        },
      };
    },
    stopping: () => tell("stopping", {}, out("dim", "stopping…")),
    stopped: () => tell("stopped", {}, out("dim", "stopped")),
  };
}
