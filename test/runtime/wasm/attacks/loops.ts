import { command, component, embedded, program, typed, wat } from "../components.ts";
import type { Attack } from "./attack.ts";
import { programModule, typedModule } from "./modules.ts";

const forever = "(loop $forever (br $forever))";
const limits = { wallMs: 150 };
const ends = { limits, code: "ERR_STEP_TIMEOUT", message: /150 ms/ } as const;

/** On Wasmtime they take no stack, so that time ends them; on V8 they are made calls, or nothing could end their thread. */
const tailCalls = { code: "ERR_STEP_STACK", on: { wasmtime: ends } } as const;

/** Ways not to come to an end. */
export const loopAttacks: readonly Attack[] = [
  { name: "a loop", artifact: () => program(`${forever} (i32.const 0)`), ...ends },
  { name: "a loop in a command", artifact: () => command(forever), ...ends },
  { name: "a loop in a typed step", artifact: () => typed(`${forever} (i32.const 0)`), ...ends },
  {
    name: "a loop in the start function of a command",
    artifact: () => wat(`(module (func $start ${forever}) (start $start) (func (export "_start")))`),
    ...ends,
  },
  {
    name: "a loop in the start function of a component",
    artifact: () =>
      component(
        "",
        `(func $start ${forever}) (start $start) (func (export "run") (result i32) (i32.const 0))`,
      ),
    ...ends,
  },
  {
    name: "a loop in the start function of the second of two instances",
    artifact: () =>
      component(
        `(core module $first (func $start ${forever}) (start $start)) (core instance (instantiate $first))`,
      ),
    ...ends,
  },
  {
    name: "a loop in realloc",
    artifact: () => embedded(typedModule({ realloc: forever }), "typed"),
    ...ends,
  },
  {
    name: "a loop in post-return",
    artifact: () => embedded(typedModule({ postReturn: forever }), "typed"),
    ...ends,
  },
  {
    name: "a loop of calls to the host",
    artifact: () => program("(loop $more (drop (call $now)) (br $more)) (i32.const 0)"),
    ...ends,
  },
  {
    name: "a loop of calls of preview 1",
    artifact: () =>
      command(
        "(loop $more (drop (call $clock-time-get (i32.const 1) (i64.const 0) (i32.const 64))) (br $more))",
      ),
    ...ends,
  },
  {
    name: "a loop of calls to the host that has less processor time than time",
    artifact: () => program("(loop $more (drop (call $now)) (br $more)) (i32.const 0)"),
    limits: { cpuMs: 200, wallMs: 50_000 },
    code: "ERR_STEP_CPU",
    message: /used \d{3,} ms of processor time, over the limit of 200 ms/,
  },
  {
    name: "a loop of short sleeps, which take no processor time",
    artifact: () =>
      program(
        "(loop $more (call $block (call $subscribe-duration (i64.const 20000000))) (br $more)) (i32.const 0)",
      ),
    limits: { cpuMs: 700, wallMs: 1_000 },
    code: "ERR_STEP_TIMEOUT",
    message: /1000 ms/,
  },
  {
    name: "a loop that has its memory filled over and over",
    artifact: () =>
      program(
        `(drop (memory.grow (i32.const 500)))
         (loop $more (memory.fill (i32.const 0) (i32.const 7) (i32.const 30000000)) (br $more)) (i32.const 0)`,
      ),
    ...ends,
  },
  {
    name: "tail calls without an end",
    artifact: () =>
      program("(call $again)", { declarations: "(func $again (result i32) (return_call $again))" }),
    ...tailCalls,
  },
  {
    name: "tail calls from one function to another",
    artifact: () =>
      program("(call $one)", {
        declarations:
          "(func $one (result i32) (return_call $two)) (func $two (result i32) (return_call $one))",
      }),
    ...tailCalls,
  },
  {
    name: "exceptions thrown and caught without an end",
    artifact: () =>
      program(
        "(loop $more (block $caught (try_table (catch_all $caught) (throw $tag))) (br $more)) (i32.const 0)",
        {
          declarations: "(tag $tag)",
        },
      ),
    ...ends,
  },
  {
    name: "random numbers without an end",
    artifact: () =>
      command("(loop $more (drop (call $random-get (i32.const 0) (i32.const 65536))) (br $more))"),
    ...ends,
  },
  {
    name: "a sleep of an hour",
    artifact: () =>
      program("(call $block (call $subscribe-duration (i64.const 3600000000000))) (i32.const 0)"),
    ...ends,
  },
  {
    name: "the longest sleep that there is",
    artifact: () => program("(call $block (call $subscribe-duration (i64.const -1))) (i32.const 0)"),
    ...ends,
  },
  {
    name: "to poll for what is not to come",
    artifact: () =>
      program(
        `(i32.store (i32.const 64) (call $subscribe-duration (i64.const -1)))
         (i32.store (i32.const 68) (call $subscribe-duration (i64.const 3600000000000)))
         (call $poll (i32.const 64) (i32.const 2) (i32.const 128)) (i32.const 0)`,
      ),
    ...ends,
  },
  {
    name: "the longest sleep of preview 1",
    artifact: () =>
      command(
        `(i32.store (i32.const 144) (i32.const 1)) (i64.store (i32.const 152) (i64.const -1))
         (drop (call $poll-oneoff (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 24)))`,
      ),
    ...ends,
  },
  {
    name: "a sleep in a start function",
    artifact: () =>
      embedded(
        programModule({
          declarations: `(func $start (call $block (call $subscribe-duration (i64.const -1)))) (start $start)`,
        }),
        "program",
      ),
    ...ends,
  },
  {
    name: "to poll a list of nothing",
    artifact: () => program("(call $poll (i32.const 64) (i32.const 0) (i32.const 128)) (i32.const 0)"),
    code: "ERR_STEP_TRAP",
  },
];
