import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { component, printing, wat } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { CreateEngine, Harness } from "../harness.ts";
import { attempt } from "./attack.ts";
import type { Attack } from "./attack.ts";

const objectsOwn = ["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"];

/** A type of function (i32, i32) → i32, as the one is that grants memory. */
const grantType = "(type $t (func (param i32 i32) (result i32)))";
const grantAll = "(func $grant (param i32 i32) (result i32) (i32.const 1))";
const limits = { memoryBytes: 8 * 1024 * 1024 };
const invalid = "ERR_COMPONENT_INVALID";

/** What a module could take from the host's JavaScript, or from what is added to it to meter its memory. */
const reaching: readonly Attack[] = [
  ...objectsOwn.map((name): Attack => ({
    name: `a function of ${name} of an object of the host`,
    artifact: () =>
      component(
        "",
        `(import "${name}" "constructor" (func $f (param i32) (result externref)))
         (func (export "run") (result i32) (drop (call $f (i32.const 1))) (i32.const 0))`,
      ),
    code: "ERR_STEP_TRAP",
  })),
  {
    name: "the prototype of all objects, to freeze it",
    artifact: () =>
      component(
        "",
        `(import "constructor" "prototype" (global $prototype externref))
         (import "constructor" "freeze" (func $freeze (param externref) (result externref)))
         (func (export "run") (result i32) (drop (call $freeze (global.get $prototype))) (i32.const 0))`,
      ),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "a function of the object that holds the engine's memories",
    artifact: () =>
      component(
        "",
        `(import "millrace:memory" "constructor" (func $f (param i32) (result externref)))
         (func (export "run") (result i32) (drop (call $f (i32.const 1))) (i32.const 0))`,
      ),
    refused: true,
    code: invalid,
    message: /the engine's own/,
  },
  {
    name: "to have the hook that grants memory put into a table of its own",
    artifact: () =>
      wat(`(module (memory 1) (table (export "millrace:grow") 1 funcref) ${grantType}
        (func (export "_start") (drop (call_indirect (type $t) (i32.const 100000) (i32.const 0) (i32.const 0)))))`),
    refused: true,
    code: invalid,
    message: /millrace:grow, which is the engine's own/,
  },
  {
    name: "to call the hook by an index that is there only once it is metered",
    artifact: () =>
      wat(`(module (memory 1) ${grantType} (func (export "_start")
        (drop (call_indirect 0 (type $t) (i32.const 100000) (i32.const 0) (i32.const 0)))
        (drop (memory.grow (i32.const 1)))))`),
    refused: true,
    code: invalid,
  },
  {
    name: "to call the function that grows memory by its index",
    artifact: () =>
      wat(
        `(module (memory 1) (func (export "_start") (drop (call 1 (i32.const 1))) (drop (memory.grow (i32.const 1)))))`,
      ),
    refused: true,
    code: invalid,
  },
  {
    name: "to put a hook of its own into the place of another module's",
    artifact: () =>
      component(
        `(core module $hungry (memory 1)
           (func (export "grow") (result i32) (memory.grow (i32.const 120))))
         (core instance $one (instantiate $hungry)) (core instance $two (instantiate $hungry))
         (alias core export $one "millrace:grow" (core table $hook1))
         (alias core export $two "millrace:grow" (core table $hook2))
         (core module $granting (import "" "hook" (table 1 funcref)) ${grantAll} (elem (i32.const 0) $grant))
         (core instance (instantiate $granting (with "" (instance (export "hook" (table $hook1))))))
         (core instance (instantiate $granting (with "" (instance (export "hook" (table $hook2))))))
         (core module $code (import "one" "grow" (func $one (result i32))) (import "two" "grow" (func $two (result i32)))
           (func $start (drop (call $one)) (if (i32.ne (call $two) (i32.const -1)) (then (return))) (unreachable))
           (start $start))
         (core instance (instantiate $code (with "one" (instance $one)) (with "two" (instance $two))))`,
      ),
    limits,
    code: "ERR_COMPONENT_IMPORT",
    message: /table import/,
  },
  {
    name: "to import the hook by the instance that has it",
    artifact: () =>
      component(
        `(core module $hungry (memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 120))))
         (core instance $one (instantiate $hungry))
         (core module $granting (import "one" "millrace:grow" (table 1 funcref)) ${grantAll} (elem (i32.const 0) $grant))
         (core instance (instantiate $granting (with "one" (instance $one))))`,
      ),
    refused: true,
    code: invalid,
  },
  {
    name: "a name of a field that is spelt like two of them",
    artifact: () =>
      wat(`(component
        (import "wasi:clocks/wall-clock@0.2.0" (instance
          (type $d (record (field "seconds" u64)))
          (export "datetime" (type (eq $d)))))
        (core module $m (func (export "run") (result i32) (i32.const 0))) (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $r)))`).then(
        (bytes) => {
          // Only bytes can say such a name.
          const at = Buffer.from(bytes).indexOf("seconds");
          return Buffer.concat([bytes.subarray(0, at), Buffer.from("s:u8, t"), bytes.subarray(at + 7)]);
        },
      ),
    refused: true,
    code: invalid,
    message: /no label/,
  },
  {
    name: "to call WASI before its memory is exported",
    artifact: () =>
      wat(`(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1) (func $start (drop (call $random (i32.const 0) (i32.const 8)))) (start $start)
        (func (export "_start")))`),
    code: "ERR_STEP_TRAP",
  },
];

/** Attacks on the linker and the metering of an engine of JavaScript: what an engine of another kind does not have. */
export function linkerAttacks(name: string, createEngine: CreateEngine): void {
  describe(`of ${name} itself, a step tries to reach`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());

    test.each(reaching)("$name", async (attack) => {
      await attempt(harness, "v8", attack);
      expect(await harness.run(await printing("1"))).toEqual({ ok: true, output: 1, logs: [] });
    });
  });
}
