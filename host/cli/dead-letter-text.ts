import type { DeadLetter } from "../broker/broker.ts";
import { printable, shorten } from "./printable.ts";
import { problemLines } from "./report.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { dateAndTime } from "./time.ts";

/** Characters of the reason and of the payload in a table. */
const shown = 50;

/** Dead letters as an aligned table. */
export function deadLetterTable(deadLetters: readonly DeadLetter[], { out }: Terminal): string[] {
  const columns = ["SEQ", "FOUND", "SUBJECT", "WHY", "PAYLOAD"].map((heading) => ({ heading }));
  const rows = deadLetters.map(({ seq, at, subject, message, payload }) => [
    String(seq),
    dateAndTime(at),
    printable(subject),
    shorten(printable(message), shown),
    shorten(printable(payload), shown),
  ]);
  return table(columns, rows, (text) => out("dim", text));
}

/** One dead letter in full. */
export function deadLetterLines(deadLetter: DeadLetter, { out }: Terminal): string[] {
  const { seq, at, subject, code, message, problems, payload } = deadLetter;
  const field = (name: string, value: string): string => `${out("dim", name.padEnd(8))} ${value}`;
  return [
    field("seq", out("bold", String(seq))),
    field("found", dateAndTime(at)),
    field("subject", printable(subject)),
    field("why", `${out("red", code)}: ${printable(message)}`),
    ...problems.flatMap((problem) => problemLines(problem, out).map((line) => `  ${line}`)),
    field("payload", printable(payload)),
  ];
}
