import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttemptResult } from "../../../runtime/driver.ts";
import { command, program } from "./components.ts";
import { createHarness, stepInput } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";

/** Prints so many bytes from an address in hexadecimal digits. */
const printHex = `
  (func $digit (param $at i32) (param $digit i32)
    (i32.store8 (local.get $at) (i32.add (local.get $digit)
      (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10))))))
  (func $hex (param $from i32) (param $length i32) (result i32)
    (local $at i32)
    (local.set $at (i32.const 12000))
    (loop $next
      (call $digit (local.get $at) (i32.shr_u (i32.load8_u (local.get $from)) (i32.const 4)))
      (call $digit (i32.add (local.get $at) (i32.const 1)) (i32.and (i32.load8_u (local.get $from)) (i32.const 15)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br_if $next (local.get $length)))
    (i32.sub (local.get $at) (i32.const 12000)))`;

/** Prints all that a program can read of clocks and randomness; the text begins with x, so that it is no number. */
const programBody = `
  (i32.store8 (i32.const 8191) (i32.const 120))
  (call $print (i32.const 8191) (i32.const 1))
  (call $wall-clock (i32.const 8192))
  (i64.store (i32.const 8208) (call $now))
  (i64.store (i32.const 8216) (call $random))
  (i64.store (i32.const 8224) (call $insecure))
  (call $insecure-seed (i32.const 8232))
  (call $random-bytes (i64.const 7) (i32.const 32))
  (i64.store (i32.const 8248) (i64.load (i32.load (i32.const 32))))
  (i32.store8 (i32.const 8255) (i32.const 0))
  (call $block (call $subscribe-duration (i64.const 5000000000)))
  (i64.store (i32.const 8256) (call $now))
  (call $print (i32.const 12000) (call $hex (i32.const 8192) (i32.const 72)))
  (i32.const 0)`;

/** The same of a preview 1 command. */
const commandBody = `
  (drop (call $clock-time-get (i32.const 0) (i64.const 0) (i32.const 8192)))
  (drop (call $clock-time-get (i32.const 1) (i64.const 0) (i32.const 8200)))
  (drop (call $random-get (i32.const 8208) (i32.const 9)))
  (i32.store8 (i32.const 8217) (i32.const 0))
  (i32.store8 (i32.const 4096) (i32.const 120))
  (call $put (i32.const 1) (i32.const 4096) (i32.const 1))
  (call $put (i32.const 1) (i32.const 12000) (call $hex (i32.const 8192) (i32.const 25)))`;

/** Prints each variable as name=value;. */
const printEnvironment = `
  (call $get-environment (i32.const 32))
  (local.set $a (i32.load (i32.const 32)))
  (local.set $b (i32.load (i32.const 36)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $b)))
      (call $print (i32.load (local.get $a)) (i32.load offset=4 (local.get $a)))
      (call $print (i32.const 4096) (i32.const 1))
      (call $print (i32.load offset=8 (local.get $a)) (i32.load offset=12 (local.get $a)))
      (call $print (i32.const 4097) (i32.const 1))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.sub (local.get $b) (i32.const 1)))
      (br $next)))
  (i32.const 0)`;

/** What the capabilities of a step's document give it, on every engine. */
export function capabilitiesContract(name: string, createEngine: CreateEngine): void {
  describe(`capabilities on ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());
    environment(() => harness);
    seeds(() => harness);
  });
}

function environment(harness: () => Harness): void {
  const env = { LANG: "de", EMPTY: "", TEXT: "a=b; Grüße 👋" };
  const printed = "LANG=de;EMPTY=;TEXT=a=b; Grüße 👋;";

  describe("env", () => {
    test("is the environment of a program, and of no other attempt", async () => {
      const bytes = await program(printEnvironment, { declarations: '(data (i32.const 4096) "=;")' });
      expect(await harness().run(bytes)).toMatchObject({ ok: true, output: null });
      expect(await harness().run(bytes, { capabilities: { env } })).toMatchObject({ output: printed });
      expect(await harness().run(bytes, { capabilities: {} })).toMatchObject({ ok: true, output: null });
    });

    test("is the environment of a preview 1 command", async () => {
      const bytes = await command(`
        (drop (call $environ-sizes-get (i32.const 32) (i32.const 36)))
        (drop (call $environ-get (i32.const 8192) (i32.const 12000)))
        (if (i32.load (i32.const 36)) (then
          (call $put (i32.const 1) (i32.load (i32.const 8192)) (i32.load (i32.const 36)))))`);
      const result = await harness().run(bytes, { capabilities: { env } });
      expect(result).toMatchObject({ ok: true, output: printed.replaceAll(/;(?! )/g, "\0") });
      expect(await harness().run(bytes)).toMatchObject({ ok: true, output: null });
    });
  });
}

function seeds(harness: () => Harness): void {
  const printing = {
    "a program": () => program(programBody, { declarations: printHex }),
    "a preview 1 command": () => command(commandBody, { declarations: printHex }),
  };
  const text = (result: AttemptResult): string => {
    if (!result.ok || typeof result.output !== "string") throw new Error(JSON.stringify(result));
    return result.output;
  };

  describe("a seed", () => {
    test.each(Object.entries(printing))("makes %s print the same bytes each time", async (_, make) => {
      const bytes = await make();
      const run = async (seed: string, input = stepInput()): Promise<string> =>
        text(await harness().run(bytes, { input, capabilities: { seed } }));
      const first = await run("one");
      expect(await run("one")).toBe(first);
      expect(await run("two")).not.toBe(first);
      const { ctx } = stepInput();
      expect(await run("one", stepInput({ ctx: { ...ctx, attempt: 2 } }))).not.toBe(first);
      expect(await run("one", stepInput({ ctx: { ...ctx, runId: "run-2" } }))).not.toBe(first);
      const [item, other] = [
        await run("one", stepInput({ index: 0 })),
        await run("one", stepInput({ index: 1 })),
      ];
      expect(new Set([first, item, other]).size).toBe(3);
      expect(await run("one")).toBe(first);
    });

    test("is not there unless it is asked for", async () => {
      const bytes = await printing["a preview 1 command"]();
      expect(text(await harness().run(bytes))).not.toBe(text(await harness().run(bytes)));
    });

    test("gives the same bytes on every engine", async () => {
      const run = async (make: () => Promise<Uint8Array>): Promise<string> =>
        text(await harness().run(await make(), { capabilities: { seed: "one" } }));
      expect(await run(printing["a program"])).toMatchInlineSnapshot(
        `"x00f15365000000000000000000000000d00700000000000080d2e4025513f11e29d4b9e518bca9db3869f194a72ff496ad2bc044380b26408b813913a8801c008805062a01000000"`,
      );
      expect(await run(printing["a preview 1 command"])).toMatchInlineSnapshot(
        `"x00002a36fe9c9717d00700000000000080d2e4025513f11e29"`,
      );
    });

    test("starts the clock at the event's time, and lets it pass without waiting for it", async () => {
      const bytes = await program(
        `(call $block (call $subscribe-duration (i64.const 7000000000)))
         (call $wall-clock (i32.const 8192))
         (call $print-number (i32.wrap_i64 (i64.load (i32.const 8192))))
         (i32.const 0)`,
      );
      const { event } = stepInput();
      expect(await harness().run(bytes, { capabilities: { seed: "s" } })).toMatchObject({
        output: event.ts / 1_000 + 7,
      });
    });

    test("ends an attempt that waits for longer than its time", async () => {
      const bytes = await program(
        "(loop $on (call $block (call $subscribe-duration (i64.const 60000000000))) (br $on)) (i32.const 0)",
      );
      const limits = { wallMs: 3_600_000 };
      expect(await harness().run(bytes, { limits, capabilities: { seed: "s" } })).toMatchObject({
        failure: { code: "ERR_STEP_TIMEOUT", message: "The attempt took longer than 3600000 ms." },
      });
      expect(await harness().run(await program("(i32.const 0)"))).toMatchObject({ ok: true });
    });

    test("lets whoever looks at the clock for a time get there", async () => {
      const bytes = await program(
        `(local.set $c (i64.add (call $now) (i64.const 1000000)))
         (loop $on (br_if $on (i64.lt_u (call $now) (local.get $c))))
         (i32.const 0)`,
      );
      expect(await harness().run(bytes, { capabilities: { seed: "s" } })).toMatchObject({ ok: true });
    });
  });
}
