import { command, program, typed } from "../components.ts";
import type { Attack } from "./attack.ts";

const limits = { outputBytes: 100_000, logBytes: 10_000 };
const output = { limits, code: "ERR_STEP_OUTPUT_TOO_LARGE", message: /100000 bytes/ } as const;
const log = { limits, code: "ERR_STEP_LOG_TOO_LARGE", message: /10000 bytes/ } as const;
const logging = { imports: '(import "millrace:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))' };

const ever = (call: string): string => `(loop $more ${call} (br $more))`;
const gibibyte = 1024 * 1024 * 1024;

/** Fills `bytes` with "a" from 65536 on. */
const fill = (bytes: number): string =>
  `(drop (memory.grow (i32.const ${Math.ceil(bytes / 65_536)})))
   (memory.fill (i32.const 65536) (i32.const 97) (i32.const ${bytes}))`;

/** Points the first `count` vectors from 1024 on to the same 65,536 bytes. */
const vectors = (count: number): string => `
  (local.set $a (i32.const 1024))
  (loop $next
    (i32.store (local.get $a) (i32.const 0)) (i32.store offset=4 (local.get $a) (i32.const 65536))
    (local.set $a (i32.add (local.get $a) (i32.const 8)))
    (br_if $next (i32.lt_u (local.get $a) (i32.const ${1024 + 8 * count}))))`;

/** Ways to put out, log and say too much. */
export const floodAttacks: readonly Attack[] = [
  {
    name: "stdout",
    artifact: () => program(`${ever("(call $print (i32.const 4096) (i32.const 4096))")} (i32.const 0)`),
    ...output,
  },
  {
    name: "stdout byte by byte",
    artifact: () =>
      program(
        `(local.set $b (call $get-stdout))
         ${ever("(call $write (local.get $b) (i32.const 4096) (i32.const 1) (i32.const 0))")} (i32.const 0)`,
      ),
    ...output,
  },
  {
    name: "stdout of a command",
    artifact: () => command(ever("(call $put (i32.const 1) (i32.const 0) (i32.const 65536))")),
    ...output,
  },
  {
    name: "a gibibyte of output by one call",
    artifact: () =>
      program(`(call $write-zeroes (call $get-stdout) (i64.const ${gibibyte}) (i32.const 0)) (i32.const 0)`),
    ...output,
  },
  {
    name: "more zeroes than there are",
    artifact: () =>
      program("(call $write-zeroes (call $get-stdout) (i64.const -1) (i32.const 0)) (i32.const 0)"),
    ...output,
  },
  {
    name: "a gibibyte of log by one call",
    artifact: () =>
      program(`(call $write-zeroes (call $get-stderr) (i64.const ${gibibyte}) (i32.const 0)) (i32.const 0)`),
    ...log,
  },
  {
    name: "four hundred megabytes of output by many vectors of the same bytes",
    artifact: () =>
      command(
        `${vectors(6000)} (drop (call $fd-write (i32.const 1) (i32.const 1024) (i32.const 6000) (i32.const 8)))`,
      ),
    ...output,
  },
  {
    name: "all the output that it may have, byte by byte",
    artifact: () =>
      command(
        `
        (loop $more
          (call $put (i32.const 1) (i32.const 4096) (i32.const 1))
          (local.set $a (i32.add (local.get $a) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $a) (i32.const 4000000))))`,
        { declarations: '(data (i32.const 4096) " ")' },
      ),
    output: " ".repeat(4_000_000),
  },
  {
    name: "stderr",
    artifact: () => program(`${ever("(call $log (i32.const 4096) (i32.const 4096))")} (i32.const 0)`),
    ...log,
  },
  {
    name: "stderr of a command, byte by byte",
    artifact: () => command(ever("(call $put (i32.const 2) (i32.const 4096) (i32.const 1))")),
    ...log,
  },
  {
    name: "log lines",
    artifact: () =>
      typed(`${ever("(call $log (i32.const 2) (i32.const 0) (i32.const 64))")} (i32.const 0)`, logging),
    ...log,
  },
  {
    name: "empty log lines",
    artifact: () =>
      typed(`${ever("(call $log (i32.const 2) (i32.const 0) (i32.const 0))")} (i32.const 0)`, logging),
    ...log,
  },
  {
    name: "line breaks",
    artifact: () =>
      command(ever("(call $put (i32.const 2) (i32.const 4096) (i32.const 1))"), {
        declarations: '(data (i32.const 4096) "\\n")',
      }),
    ...log,
  },
  {
    name: "one log line of 30 MB",
    artifact: () =>
      typed(
        `${fill(30_000_000)} (call $log (i32.const 2) (i32.const 65536) (i32.const 30000000)) (i32.const 0)`,
        logging,
      ),
    ...log,
  },
  {
    name: "a result of 30 MB",
    artifact: () =>
      typed(
        `${fill(30_000_000)} (i32.store8 (i32.const 65536) (i32.const 49)) (call $ok (i32.const 65536) (i32.const 30000000))`,
      ),
    ...output,
  },
  {
    name: "a failure with a message of 30 MB",
    artifact: () =>
      typed(`${fill(30_000_000)} (call $error (i32.const 1) (i32.const 65536) (i32.const 30000000))`),
    code: "ERR_STEP_FATAL",
    message: /^a+…$/,
  },
  {
    name: "a wish for another attempt with a message of 30 MB",
    artifact: () =>
      typed(`${fill(30_000_000)} (call $error (i32.const 0) (i32.const 65536) (i32.const 30000000))`),
    code: "ERR_STEP_FAILED",
    message: /^a+…$/,
  },
  {
    name: "a name of a function as long as a book, in the message of a trap",
    artifact: () =>
      program("(call $f)", {
        declarations: `(func $f (@name "${"n".repeat(200_000)}") (result i32) (unreachable))`,
      }),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "a flood of which it catches the end",
    artifact: () =>
      program(
        `(loop $more (block $caught (try_table (catch_all $caught) (call $print (i32.const 0) (i32.const 60000)))) (br $more)) (i32.const 0)`,
      ),
    ...output,
  },
];
