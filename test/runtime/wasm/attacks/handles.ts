import { program } from "../components.ts";
import type { Attack } from "./attack.ts";

const trap = "ERR_STEP_TRAP";

const writeTo = (handle: string): string =>
  `(call $write ${handle} (i32.const 0) (i32.const 4) (i32.const 64))`;

const bodies: readonly (readonly [name: string, body: string])[] = [
  ["one that it was not given", writeTo("(i32.const 77)")],
  ["handle 0", writeTo("(i32.const 0)")],
  ["handle 2^32 - 1", writeTo("(i32.const -1)")],
  ["handle 2^31", writeTo("(i32.const -2147483648)")],
  ["a pollable as a stream", writeTo("(call $subscribe-duration (i64.const 0))")],
  ["stdin as an output", writeTo("(call $get-stdin)")],
  ["stdout as an input", "(call $read (call $get-stdout) (i64.const 16) (i32.const 64))"],
  ["a stream as a pollable", "(call $block (call $get-stdout))"],
  [
    "to drop one twice",
    "(local.set $a (call $get-stdout)) (call $drop-output (local.get $a)) (call $drop-output (local.get $a))",
  ],
  ["to drop one as another type", "(call $drop-pollable (call $get-stdout))"],
  [
    "to use one that it dropped",
    `(local.set $a (call $get-stdout)) (call $drop-output (local.get $a)) ${writeTo("(local.get $a)")}`,
  ],
  [
    "a list of them of which the last is none",
    `(i32.store (i32.const 128) (call $subscribe-duration (i64.const 0))) (i32.store (i32.const 132) (i32.const 99))
     (call $poll (i32.const 128) (i32.const 2) (i32.const 64))`,
  ],
  [
    "to go on after one that it does not have, which it catches",
    `(block $caught (try_table (catch_all $caught) ${writeTo("(i32.const 77)")}))`,
  ],
  [
    "to exit well after one that it does not have, which it catches",
    `(block $caught (try_table (catch_all $caught) ${writeTo("(i32.const 77)")})) (call $exit-with-code (i32.const 0))`,
  ],
];

/** Handles of resources that are forged, stale, or of another type. */
export const handleAttacks: readonly Attack[] = [
  ...bodies.map(([name, body]): Attack => ({
    name,
    artifact: () => program(`${body} (i32.const 0)`),
    code: trap,
  })),
  {
    name: "more than there may be",
    artifact: () => program("(loop $more (drop (call $get-stdout)) (br $more)) (i32.const 0)"),
    code: trap,
  },
  {
    name: "to take and drop them a hundred thousand times",
    artifact: () =>
      program(`
        (loop $more
          (call $drop-output (call $get-stdout))
          (local.set $a (i32.add (local.get $a) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $a) (i32.const 100000))))
        (i32.const 0)`),
    output: null,
  },
];
