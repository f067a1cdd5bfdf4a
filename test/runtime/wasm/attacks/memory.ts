import { command, component, program, typed, wat } from "../components.ts";
import type { Attack } from "./attack.ts";

const limits = { memoryBytes: 8 * 1024 * 1024 };
const over = { limits, code: "ERR_STEP_MEMORY" } as const;
const asked = { ...over, message: /over the limit of 8388608 bytes/ } as const;

const bomb = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
const once = "(if (i32.eq (memory.grow (i32.const 16384)) (i32.const -1)) (then (unreachable)))";

/** Calls itself in a frame of many values until the stack is used up. */
const deep = (locals: number): string => {
  const names = Array.from({ length: locals }, (_, index) => `$l${index}`);
  return `(func $deep (param $n i64) (result i64) ${names.map((name) => `(local ${name} i64)`).join(" ")}
    ${names.map((name, index) => `(local.set ${name} (i64.add (local.get $n) (i64.const ${index})))`).join("\n")}
    (i64.add (call $deep (i64.add (local.get $n) (i64.const 1)))
      ${names.reduce((sum, name) => `(i64.xor ${sum} (local.get ${name}))`, "(i64.const 0)")}))`;
};

const stack = { code: "ERR_STEP_STACK" } as const;

/** A memory of its own for each of `count` instances. */
const instances = (count: number, memory: string): string =>
  `(core module $holder ${memory}) ${"(core instance (instantiate $holder))".repeat(count)}`;

/** Ways to take memory of every kind: linear, of tables, of the stack, of the host. */
export const memoryAttacks: readonly Attack[] = [
  { name: "page by page", artifact: () => program(bomb), ...asked },
  { name: "page by page, in a command", artifact: () => command(bomb), ...asked },
  { name: "page by page, in a typed step", artifact: () => typed(bomb), ...asked },
  { name: "a gibibyte at once", artifact: () => program(`${once} (i32.const 0)`), ...asked },
  {
    name: "all that can be addressed",
    artifact: () => program("(drop (memory.grow (i32.const -1))) (unreachable)"),
    ...asked,
  },
  { name: "more to begin with", artifact: () => program("(i32.const 0)", { pages: 200 }), ...asked },
  {
    name: "a little in each of many instances",
    artifact: () => component(instances(20, "(memory 10)")),
    ...over,
  },
  {
    name: "page by page in several memories of one module",
    artifact: () =>
      wat(`(module (memory $a 1) (memory $b 1) (memory $c 1) (func (export "_start")
        (loop $more
          (br_if $more (i32.and
            (i32.ne (memory.grow $a (i32.const 1)) (i32.const -1))
            (i32.and (i32.ne (memory.grow $b (i32.const 1)) (i32.const -1))
              (i32.ne (memory.grow $c (i32.const 1)) (i32.const -1))))))
        (unreachable)))`),
    ...asked,
  },
  {
    name: "page by page in a start function",
    artifact: () => wat(`(module (memory 1) (func $start ${bomb}) (start $start) (func (export "_start")))`),
    ...asked,
  },
  {
    name: "more than twice the limit, by memories that one module gives to others",
    artifact: () =>
      component(`
        (core module $owner (memory (export "m") 1)
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
        (core instance $a (instantiate $owner)) (core instance $b (instantiate $owner)) (core instance $c (instantiate $owner))
        (core module $user
          (import "a" "grow" (func $a (param i32) (result i32))) (import "b" "grow" (func $b (param i32) (result i32)))
          (import "c" "grow" (func $c (param i32) (result i32)))
          (func $start (drop (call $a (i32.const 100))) (drop (call $b (i32.const 100)))
            (if (i32.eq (call $c (i32.const 100)) (i32.const -1)) (then (unreachable))))
          (start $start))
        (core instance (instantiate $user (with "a" (instance $a)) (with "b" (instance $b)) (with "c" (instance $c))))`),
    ...asked,
  },
  {
    name: "thousands of empty memories",
    artifact: () => wat(`(module ${"(memory 0)".repeat(5000)} (func (export "_start")))`),
    code: "ERR_STEP_MEMORY",
  },
  {
    name: "ten thousand instances with an empty memory each",
    artifact: () => component(instances(10_001, "(memory 0)")),
    code: "ERR_STEP_MEMORY",
  },
  {
    name: "great tables",
    artifact: () => wat(`(module ${"(table 900000 funcref)".repeat(20)} (func (export "_start")))`),
    code: "ERR_STEP_MEMORY",
  },
  {
    name: "a table that is grown and grown",
    artifact: () =>
      wat(`(module (table 1 externref) (func (export "_start")
        (loop $more (br_if $more (i32.ne (table.grow 0 (ref.null extern) (i32.const 1000)) (i32.const -1))))))`),
    output: null,
  },
  {
    name: "more random bytes than it has memory",
    artifact: () => program("(call $random-bytes (i64.const 1000000000) (i32.const 64)) (i32.const 0)"),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "all random bytes that there are",
    artifact: () => program("(call $random-bytes (i64.const -1) (i32.const 64)) (i32.const 0)"),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "a data segment behind the end of its memory",
    artifact: () =>
      wat(`(module (memory 1) (data (i32.const 65000) "${"x".repeat(1000)}") (func (export "_start")))`),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "a data segment of sixteen megabytes into eight",
    artifact: () =>
      wat(
        `(module (memory 128) (data (i32.const 0) "${"x".repeat(16 * 1024 * 1024)}") (func (export "_start")))`,
      ),
    limits,
    code: "ERR_STEP_TRAP",
  },
  {
    name: "exceptions that hold each other in a long chain",
    artifact: () =>
      // Large ones: of small ones it takes so many that a loaded machine needs half a minute for them.
      wat(`(module (tag $t (param exnref ${"i64 ".repeat(64)})) (global $g (mut exnref) (ref.null exn))
        (func (export "_start") (loop $more
          (block $caught (result exnref)
            (try_table (catch_all_ref $caught)
              (throw $t (global.get $g) ${"(i64.const -1)".repeat(64)})) (unreachable))
          (global.set $g) (br $more))))`),
    limits: { wallMs: 30_000 },
    code: "ERR_STEP_MEMORY",
  },
  {
    name: "deep recursion",
    artifact: () => program("(drop (call $deep (i64.const 0))) (i32.const 0)", { declarations: deep(0) }),
    ...stack,
  },
  {
    name: "deep recursion in great frames",
    artifact: () => program("(drop (call $deep (i64.const 0))) (i32.const 0)", { declarations: deep(2000) }),
    ...stack,
  },
  {
    name: "deep recursion through a table",
    artifact: () =>
      command("(call $deep)", {
        declarations: `(table 1 funcref) (elem (i32.const 0) $deep)
          (func $deep (call_indirect (i32.const 0)) (drop (i32.load (i32.const 0))))`,
      }),
    ...stack,
  },
  {
    name: "deep recursion around a call of the host",
    artifact: () =>
      program("(call $deep) (i32.const 0)", { declarations: "(func $deep (call $deep) (drop (call $now)))" }),
    ...stack,
  },
  {
    name: "deep recursion that it catches",
    artifact: () =>
      program("(block $caught (try_table (catch_all $caught) (call $deep))) (i32.const 0)", {
        declarations: "(func $deep (drop (call $now)) (call $deep) (drop (call $now)))",
      }),
    ...stack,
  },
];
