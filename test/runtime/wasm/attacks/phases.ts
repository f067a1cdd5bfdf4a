import { command, component, embedded, program, typed, wat } from "../components.ts";
import type { Attack } from "./attack.ts";
import { programModule, typedModule } from "./modules.ts";

const exiting = '(import "wasi:cli/exit@0.2.9" "exit-with-code" (func $exit-with-code (param i32)))';
const trap = "ERR_STEP_TRAP";
const exit = (code: number): string => `(call $exit-with-code (i32.const ${code}))`;

/** A program that exits or traps in its start function. */
const starting = (body: string): Promise<Uint8Array> =>
  embedded(programModule({ declarations: `(func $start ${body}) (start $start)` }), "program");

/** A component with a destructor that does `body`, called when run drops what it made. */
const destroying = (body: string): Promise<Uint8Array> =>
  wat(`(component
    (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
    (core func $exit (canon lower (func $exit "exit")))
    (core module $destructor (import "" "exit" (func $exit (param i32)))
      (func (export "drop") (param i32) ${body}))
    (core instance $destructor (instantiate $destructor (with "" (instance (export "exit" (func $exit))))))
    (type $r (resource (rep i32) (dtor (core func $destructor "drop"))))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core module $code (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
      (func (export "run") (result i32) (call $drop (call $new (i32.const 1))) (i32.const 0)))
    (core instance $code (instantiate $code (with "" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
    (func $run (result (result)) (canon lift (core func $code "run")))
    (instance $r' (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r')))`);

/** Ends in every phase of an attempt: exits, traps, exceptions, and what asks for threads. */
export const phaseAttacks: readonly Attack[] = [
  { name: "an exit in a start function", artifact: () => starting(exit(0)), output: null },
  {
    name: "an exit with 65 in a start function",
    artifact: () => starting(exit(65)),
    code: "ERR_STEP_FATAL",
    message: /code 65/,
  },
  {
    name: "an exit with 3 in a start function",
    artifact: () => starting(exit(3)),
    code: "ERR_STEP_FAILED",
    message: /code 3/,
  },
  { name: "a trap in a start function", artifact: () => starting("(unreachable)"), code: trap },
  {
    name: "a trap in the start function of a command",
    artifact: () => wat('(module (func $start (unreachable)) (start $start) (func (export "_start")))'),
    code: trap,
  },
  {
    name: "an exit in realloc",
    artifact: () => embedded(typedModule({ imports: exiting, realloc: exit(0) }), "typed"),
    code: trap,
  },
  {
    name: "an exit in post-return",
    artifact: () => embedded(typedModule({ imports: exiting, postReturn: exit(0) }), "typed"),
    code: trap,
  },
  {
    name: "an exit with 0 in a typed step",
    artifact: () => embedded(typedModule({ imports: exiting, run: `${exit(0)} (i32.const 1024)` }), "typed"),
    code: "ERR_STEP_FAILED",
  },
  { name: "an exit in a destructor", artifact: () => destroying("(call $exit (i32.const 0))"), output: null },
  { name: "a trap in a destructor", artifact: () => destroying("(unreachable)"), code: trap },
  {
    name: "a loop in a destructor",
    artifact: () => destroying("(loop $more (br $more))"),
    limits: { wallMs: 150 },
    code: "ERR_STEP_TIMEOUT",
    message: /150 ms/,
  },
  {
    name: "an exit that it catches, to go on",
    artifact: () =>
      program(
        `(block $caught (try_table (catch_all $caught) ${exit(65)})) (call $print (i32.const 4096) (i32.const 4)) (i32.const 0)`,
      ),
    code: "ERR_STEP_FATAL",
  },
  {
    name: "an exit after an exit that it catches",
    artifact: () =>
      program(`(block $caught (try_table (catch_all $caught) ${exit(65)})) ${exit(0)} (i32.const 0)`),
    code: "ERR_STEP_FATAL",
  },
  {
    name: "an exit well after too much output, which it catches",
    artifact: () =>
      program(
        `(block $caught (try_table (catch_all $caught) (call $print (i32.const 0) (i32.const 60000)))) ${exit(0)} (i32.const 0)`,
      ),
    limits: { outputBytes: 1000 },
    code: "ERR_STEP_OUTPUT_TOO_LARGE",
    message: /1000 bytes/,
  },
  {
    name: "an exception that nobody catches",
    artifact: () => wat('(module (tag $t) (func (export "_start") (throw $t)))'),
    code: trap,
  },
  { name: "a trap at once", artifact: () => command("(unreachable)"), code: trap },
  { name: "a trap in a typed step", artifact: () => typed("(unreachable)"), code: trap },
  {
    name: "to print, then a trap",
    artifact: () =>
      program("(call $log (i32.const 4096) (i32.const 5)) (unreachable)", {
        declarations: '(data (i32.const 4096) "hello")',
      }),
    code: trap,
    logs: [{ level: "info", message: "hello" }],
  },
  {
    name: "shared memory",
    artifact: () => wat('(module (memory 1 2 shared) (func (export "_start")))'),
    refused: true,
    code: "ERR_COMPONENT_INVALID",
  },
  {
    name: "to wait for another thread",
    artifact: () => command("(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))"),
    refused: true,
    code: "ERR_COMPONENT_INVALID",
  },
  {
    name: "to spawn a thread as a function of the Component Model",
    artifact: () =>
      wat(`(component (core type $f (func (param i32))) (core func $spawn (canon thread.spawn-ref $f))
        (core module $m (func (export "run") (result i32) (i32.const 0))) (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $r)))`),
    refused: true,
    code: "ERR_COMPONENT_INVALID",
  },
  {
    name: "an asynchronous function",
    artifact: () =>
      wat(`(component (core func $yield (canon context.get i32 0))
        (core module $m (func (export "run") (result i32) (i32.const 0))) (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $r)))`),
    refused: true,
    code: "ERR_COMPONENT_INVALID",
  },
  {
    name: "a run that is another function's name",
    artifact: () => component("", '(func (export "walk") (result i32) (i32.const 0))'),
    // V8 has no whole check of a component: it is checked as far as it is used.
    code: trap,
    on: { wasmtime: { refused: true, code: "ERR_COMPONENT_INVALID", message: /no export named `run`/ } },
  },
];
