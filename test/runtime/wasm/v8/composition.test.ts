import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { wat } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { Harness } from "../harness.ts";

/**
 * A component that owns a type of resource, which stands for a number: `value` borrows one, `take` consumes one,
 * `dropped` is the sum of those that were destroyed. `shout` changes a text.
 */
const owner = `
  (component $owner
    (core module $destructors
      (global $dropped (mut i32) (i32.const 0))
      (func (export "drop") (param i32) (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
      (func (export "dropped") (result i32) (global.get $dropped)))
    (core instance $destructors (instantiate $destructors))
    (type $r (resource (rep i32) (dtor (core func $destructors "drop"))))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core module $code
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 4096))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $top (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "value") (param i32) (result i32) (local.get 0))
      (func (export "take") (param i32) (result i32) (call $rep (local.get 0)))
      (func (export "shout") (param i32 i32) (result i32)
        ;; the text with its first byte replaced by "!"
        (i32.store8 (local.get 0) (i32.const 33))
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.const 16)))
    (core instance $code (instantiate $code (with "" (instance
      (export "new" (func $new)) (export "rep" (func $rep))))))
    (alias core export $code "memory" (core memory $memory))
    (alias core export $code "realloc" (core func $realloc))
    (export $r' "r" (type $r))
    (func (export "make") (param "v" u32) (result (own $r')) (canon lift (core func $code "make")))
    (func (export "value") (param "r" (borrow $r')) (result u32) (canon lift (core func $code "value")))
    (func (export "take") (param "r" (own $r')) (result u32) (canon lift (core func $code "take")))
    (func (export "dropped") (result u32) (canon lift (core func $destructors "dropped")))
    (func (export "shout") (param "s" string) (result string)
      (canon lift (core func $code "shout") (memory $memory) (realloc $realloc))))
  (instance $owner (instantiate $owner))
  (alias export $owner "r" (type $r))
  (alias export $owner "make" (func $make))
  (alias export $owner "value" (func $value))
  (alias export $owner "take" (func $take))
  (alias export $owner "dropped" (func $dropped))
  (alias export $owner "shout" (func $shout))`;

/** A component around the owner, whose own core module does `body`: it returns 0 when all is well. */
const consumer = (body: string): Promise<Uint8Array> =>
  wat(`(component
    ${owner}
    (core module $memory (memory (export "memory") 1)
      (global $top (mut i32) (i32.const 4096))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
      (data (i32.const 64) "Grüße"))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $mem))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $make (canon lower (func $make)))
    (core func $value (canon lower (func $value)))
    (core func $take (canon lower (func $take)))
    (core func $dropped (canon lower (func $dropped)))
    (core func $shout (canon lower (func $shout) (memory $mem) (realloc $realloc)))
    (core func $drop (canon resource.drop $r))
    (core module $code
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "value" (func $value (param i32) (result i32)))
      (import "" "take" (func $take (param i32) (result i32)))
      (import "" "dropped" (func $dropped (result i32)))
      (import "" "shout" (func $shout (param i32 i32 i32)))
      (import "" "drop" (func $drop (param i32)))
      (import "" "memory" (memory 1))
      (func (export "run") (result i32) (local $a i32) (local $b i32) ${body}))
    (core instance $code (instantiate $code (with "" (instance
      (export "make" (func $make)) (export "value" (func $value)) (export "take" (func $take))
      (export "dropped" (func $dropped)) (export "shout" (func $shout)) (export "drop" (func $drop))
      (export "memory" (memory $mem))))))
    (func $run (result (result)) (canon lift (core func $code "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))`);

describe("components in a component", () => {
  let harness: Harness;
  beforeAll(() => {
    harness = createHarness(createV8Engine);
  });
  afterAll(() => harness.close());

  test("own, lend and drop resources of each other", async () => {
    const body = `
      (local.set $a (call $make (i32.const 40)))
      (local.set $b (call $make (i32.const 2)))
      (if (i32.ne (call $value (local.get $a)) (i32.const 40)) (then (return (i32.const 1))))
      (if (i32.ne (call $value (local.get $b)) (i32.const 2)) (then (return (i32.const 1))))
      (call $drop (local.get $a))
      (if (i32.ne (call $dropped) (i32.const 40)) (then (return (i32.const 1))))
      ;; what is dropped leaves its place to the next
      (if (i32.ne (call $make (i32.const 9)) (local.get $a)) (then (return (i32.const 1))))
      (if (i32.ne (call $take (local.get $b)) (i32.const 2)) (then (return (i32.const 1))))
      (i32.const 0)`;
    expect(await harness.run(await consumer(body))).toEqual({ ok: true, output: null, logs: [] });
  });

  test("pass text from one memory to another and back", async () => {
    const body = `
      (call $shout (i32.const 64) (i32.const 7) (i32.const 128))
      (local.set $a (i32.load (i32.const 128)))
      ;; "!" for the first byte, the others as they were; the caller's own text is untouched
      (if (i32.ne (i32.load (i32.const 132)) (i32.const 7)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (local.get $a)) (i32.const 33)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u offset=6 (local.get $a)) (i32.const 101)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 71)) (then (return (i32.const 1))))
      (i32.const 0)`;
    expect(await harness.run(await consumer(body))).toEqual({ ok: true, output: null, logs: [] });
  });

  test.each([
    ["a handle that there is not", "(call $value (i32.const 5))"],
    ["a handle that was dropped", "(call $drop (call $make (i32.const 1))) (call $value (i32.const 1))"],
    [
      "a handle that was given away",
      "(drop (call $take (call $make (i32.const 1)))) (call $value (i32.const 1))",
    ],
    ["handle 0", "(call $value (i32.const 0))"],
    ["text out of bounds", "(call $shout (i32.const 65530) (i32.const 7) (i32.const 128)) (i32.const 0)"],
    [
      "text that is not UTF-8",
      "(i32.store8 (i32.const 64) (i32.const 255)) (call $shout (i32.const 64) (i32.const 7) (i32.const 128)) (i32.const 0)",
    ],
    [
      "a result area that is not aligned",
      "(call $shout (i32.const 64) (i32.const 7) (i32.const 129)) (i32.const 0)",
    ],
  ])("trap on %s", async (_, body) => {
    expect(await harness.run(await consumer(body))).toMatchObject({
      ok: false,
      failure: { code: "ERR_STEP_TRAP" },
    });
  });

  test("may not call out while values are passed to them", async () => {
    // Its realloc asks the host for the time.
    const bytes = await wat(`(component
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
      (import "wasi:cli/environment@0.2.0" (instance $env
        (export "get-arguments" (func (result (list string))))))
      (core func $now (canon lower (func $clock "now")))
      (core module $memory (import "" "now" (func $now (result i64)))
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (drop (call $now)) (i32.const 4096)))
      (core instance $memory (instantiate $memory (with "" (instance (export "now" (func $now))))))
      (alias core export $memory "memory" (core memory $mem))
      (alias core export $memory "realloc" (core func $realloc))
      (core func $args (canon lower (func $env "get-arguments") (memory $mem) (realloc $realloc)))
      (core module $code (import "" "args" (func $args (param i32)))
        (func (export "run") (result i32) (call $args (i32.const 16)) (i32.const 0)))
      (core instance $code (instantiate $code (with "" (instance (export "args" (func $args))))))
      (func $run (result (result)) (canon lift (core func $code "run")))
      (instance $r (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $r)))`);
    expect(await harness.run(bytes)).toMatchObject({ failure: { code: "ERR_STEP_TRAP" } });
  });
});
