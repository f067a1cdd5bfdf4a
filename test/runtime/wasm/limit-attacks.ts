import type { RuntimeErrorCode } from "../../../runtime/errors.ts";
import type { Limits } from "../../../runtime/limits.ts";
import { command, component, program, typed, wat } from "./components.ts";

/** An attack: a step that goes too far, and how the attempt must end. */
export interface LimitAttack {
  readonly name: string;
  readonly artifact: Promise<Uint8Array>;
  readonly limits?: Partial<Limits>;
  readonly code: RuntimeErrorCode;
  /** The limit, and the used amount where it is known. */
  readonly message?: RegExp;
}

export const endless = "(loop $forever (br $forever))";
export const mebibyte = 1024 * 1024;

/** Attacks on each limit. */
export function limitAttacks(): readonly LimitAttack[] {
  return [...timeAttacks(), ...cpuAttacks(), ...memoryAttacks(), ...outputAttacks(), ...trapAttacks()];
}

function timeAttacks(): readonly LimitAttack[] {
  const limits = { wallMs: 150 };
  const ends = { limits, code: "ERR_STEP_TIMEOUT", message: /longer than 150 ms/ } as const;
  const startLoop = `(module (memory (export "memory") 1) (func $start ${endless}) (start $start)
    (func (export "_start")))`;
  return [
    { name: "an endless loop", artifact: program(`${endless} (i32.const 0)`), ...ends },
    { name: "an endless loop in a command", artifact: command(endless), ...ends },
    {
      name: "an endless loop in a typed step",
      artifact: typed(`${endless} (i32.const 0)`),
      ...ends,
    },
    { name: "an endless loop in a start function", artifact: wat(startLoop), ...ends },
    {
      name: "an endless loop in the start function of a component",
      artifact: component(
        "",
        `(func $start ${endless}) (start $start) (func (export "run") (result i32) (i32.const 0))`,
      ),
      ...ends,
    },
    {
      name: "a long sleep",
      artifact: program("(call $block (call $subscribe-duration (i64.const 3600000000000))) (i32.const 0)"),
      ...ends,
    },
    {
      name: "an endless loop of calls to the host",
      artifact: program("(loop $l (drop (call $now)) (br $l)) (i32.const 0)"),
      ...ends,
    },
  ];
}

/** Goes round a loop so often. */
export const turns = (count: number): string => `(local.set $a (i32.const ${count}))
  (loop $turn (br_if $turn (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))`;
export const sleep = (milliseconds: number): string =>
  `(call $block (call $subscribe-duration (i64.const ${milliseconds}000000)))`;

function cpuAttacks(): readonly LimitAttack[] {
  const limits = { cpuMs: 100, wallMs: 50_000 };
  const message = /used \d{3,} ms of processor time, over the limit of 100 ms/;
  const ends = { limits, code: "ERR_STEP_CPU", message } as const;
  return [
    { name: "computing without an end", artifact: program(`${endless} (i32.const 0)`), ...ends },
    { name: "computing without an end in a command", artifact: command(endless), ...ends },
    {
      name: "computing without an end in a typed step",
      artifact: typed(`${endless} (i32.const 0)`),
      ...ends,
    },
    {
      name: "computing without an end in a start function",
      artifact: wat(`(module (func $start ${endless}) (start $start) (func (export "_start")))`),
      ...ends,
    },
    {
      name: "calling the host without an end",
      artifact: program("(loop $l (drop (call $now)) (br $l)) (i32.const 0)"),
      ...ends,
    },
    {
      name: "computing and sleeping in turn",
      artifact: program(`(loop $l ${turns(3_000_000)} ${sleep(1)} (br $l)) (i32.const 0)`),
      ...ends,
    },
    {
      name: "computing without an end, with more processor time than time",
      artifact: program(`${endless} (i32.const 0)`),
      limits: { cpuMs: 10_000, wallMs: 150 },
      code: "ERR_STEP_TIMEOUT",
      message: /longer than 150 ms/,
    },
  ];
}

const two = (id: number): string => `(core module $m${id} (memory 1) (func (export "f")
  (if (i32.eq (memory.grow (i32.const 80)) (i32.const -1)) (then (unreachable)))))
  (core instance $i${id} (instantiate $m${id}))`;

function memoryAttacks(): readonly LimitAttack[] {
  const limits = { memoryBytes: 8 * mebibyte };
  const code = "ERR_STEP_MEMORY";
  const message =
    /(it had \d+ bytes and asked for \d+ more|begins with \d+ bytes of memory), over the limit of 8388608 bytes/;
  const bomb = `(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)`;
  const once = `(if (i32.eq (memory.grow (i32.const 16384)) (i32.const -1)) (then (unreachable)))`;
  const inStart = `(module (memory (export "memory") 1) (func $start ${bomb}) (start $start) (func (export "_start")))`;
  const several = wat(`(component ${two(1)} ${two(2)}
    (core module $m (import "1" "f" (func $1)) (import "2" "f" (func $2))
      (func (export "run") (result i32) (call $1) (call $2) (i32.const 0)))
    (core instance $i (instantiate $m (with "1" (instance $i1)) (with "2" (instance $i2))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))`);
  const twice = component(`(core module $large (memory 100))
    (core instance (instantiate $large)) (core instance (instantiate $large))`);
  return [
    { name: "memory grown page by page", artifact: program(bomb), limits, code, message },
    {
      name: "a gibibyte asked for at once",
      artifact: program(`${once} (i32.const 0)`),
      limits,
      code,
      message,
    },
    { name: "a gibibyte asked for by a command", artifact: command(once), limits, code, message },
    { name: "memory grown in a start function", artifact: wat(inStart), limits, code, message },
    { name: "several memories that are too much together", artifact: several, limits, code, message },
    { name: "a module that is instantiated too often", artifact: twice, limits, code, message },
    {
      name: "more memory to begin with",
      artifact: program("(i32.const 0)", { pages: 200 }),
      limits,
      code,
      message,
    },
    {
      name: "a failing exit after memory was refused",
      artifact: command(`(drop (memory.grow (i32.const 16384))) (call $proc-exit (i32.const 1))`),
      limits,
      code,
      message,
    },
  ];
}

const flood = (call: string): string =>
  `(loop $more (call ${call} (i32.const 4096) (i32.const 4096)) (br $more)) (i32.const 0)`;

const logFlood = (length: number): string =>
  `(loop $more (call $log (i32.const 2) (i32.const 0) (i32.const ${length})) (br $more)) (i32.const 0)`;

function outputAttacks(): readonly LimitAttack[] {
  const limits = { outputBytes: 100_000, logBytes: 10_000 };
  const printed = /(wrote|returned) \d{6,} bytes.*, over the limit of 100000 bytes/;
  const logged = /logged \d{5,} bytes, over the limit of 10000 bytes/;
  const logging = '(import "millrace:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))';
  const returning = `
    (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 65536) (i32.const 32) (i32.const 200000))
    (i32.store8 (i32.const 65536) (i32.const 49))
    (call $ok (i32.const 65536) (i32.const 200000))`;
  return [
    {
      name: "a flood of stdout",
      artifact: program(flood("$print")),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
      message: printed,
    },
    {
      name: "a flood of stderr",
      artifact: program(flood("$log")),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
      message: logged,
    },
    {
      name: "a flood of zeroes",
      artifact: program(
        "(call $write-zeroes (call $get-stdout) (i64.const 0x7fffffffffffffff) (i32.const 0)) (i32.const 0)",
      ),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
      message: printed,
    },
    {
      name: "a flood of stdout from a command",
      artifact: command("(loop $more (call $put (i32.const 1) (i32.const 0) (i32.const 65536)) (br $more))"),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
      message: printed,
    },
    {
      name: "a flood of stderr from a command",
      artifact: command("(loop $more (call $put (i32.const 2) (i32.const 4096) (i32.const 1)) (br $more))"),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
      message: logged,
    },
    {
      name: "a flood of log lines",
      artifact: typed(logFlood(64), { imports: logging }),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
      message: logged,
    },
    {
      name: "a flood of empty log lines",
      artifact: typed(logFlood(0), { imports: logging }),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
      message: logged,
    },
    {
      name: "a typed output that is too large",
      artifact: typed(returning),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
      message: printed,
    },
  ];
}

function trapAttacks(): readonly LimitAttack[] {
  const code = "ERR_STEP_TRAP";
  const recursion =
    "(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
  const stack = "ERR_STEP_STACK";
  const deeper = "(drop (call $deeper (i32.const 0)))";
  return [
    { name: "unreachable code", artifact: program("(unreachable)"), code },
    { name: "unreachable code in a command", artifact: command("(unreachable)"), code },
    { name: "unreachable code in a typed step", artifact: typed("(unreachable)"), code },
    { name: "a division by zero", artifact: program("(i32.div_u (i32.const 1) (i32.const 0))"), code },
    { name: "an access out of bounds", artifact: program("(i32.load (i32.const -4))"), code },
    {
      name: "a pointer out of bounds",
      artifact: program("(call $print (i32.const -4096) (i32.const 16)) (i32.const 0)"),
      code,
    },
    {
      name: "a pointer out of bounds in a command",
      artifact: command("(drop (call $random-get (i32.const -4096) (i32.const 4096)))"),
      code,
    },
    {
      name: "a handle that it does not have",
      artifact: program(
        "(call $write (i32.const 77) (i32.const 0) (i32.const 4) (i32.const 64)) (i32.const 0)",
      ),
      code,
    },
    {
      name: "deep recursion",
      artifact: program(`${deeper} (i32.const 0)`, { declarations: recursion }),
      code: stack,
    },
    {
      name: "deep recursion in a command",
      artifact: command(deeper, { declarations: recursion }),
      code: stack,
    },
  ];
}
