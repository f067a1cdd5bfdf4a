import { describe, expect, test } from "vitest";
import type { Limits } from "../../../../runtime/limits.ts";
import { copyStdin, program, typed, wat } from "../components.ts";
import { stepInput } from "../harness.ts";
import type { Harness } from "../harness.ts";

/** Writes over all of its first page, its globals and its table, then does `body`. */
const marking = (body: string): Promise<Uint8Array> =>
  program(
    `(memory.fill (i32.const 0) (i32.const 255) (i32.const 65536))
     (global.set $mark (i32.const -1)) (table.set (i32.const 0) (ref.func $f))
     ${body} (i32.const 0)`,
    {
      declarations:
        "(global $mark (mut i32) (i32.const 0)) (table 1 funcref) (elem declare func $f) (func $f)",
    },
  );

/** Prints how many of its bytes above 32768 are not zero, and its globals and its table with them. */
const looking = (pages = 1): Promise<Uint8Array> =>
  program(
    `(local.set $b (i32.const 32768))
     (loop $next
       (local.set $a (i32.add (local.get $a) (i32.ne (i32.load8_u (local.get $b)) (i32.const 0))))
       (local.set $b (i32.add (local.get $b) (i32.const 1)))
       (br_if $next (i32.lt_u (local.get $b) (i32.const ${65_536 * pages}))))
     (call $print-number (i32.add (local.get $a)
       (i32.add (global.get $mark) (i32.eqz (ref.is_null (table.get (i32.const 0)))))))
     (i32.const 0)`,
    { declarations: "(global $mark (mut i32) (i32.const 0)) (table 1 funcref)", pages },
  );

/** What one attempt leaves must not be there for the next one, of whatever step. */
export function leftovers(harness: () => Harness): void {
  const ends: readonly { readonly name: string; readonly body: string; readonly limits?: Partial<Limits> }[] =
    [
      { name: "it ended well", body: "" },
      { name: "it trapped", body: "(unreachable)" },
      { name: "it exited", body: "(call $exit-with-code (i32.const 7))" },
      { name: "it was ended for its time", body: "(loop $more (br $more))", limits: { wallMs: 150 } },
      {
        name: "it put out too much",
        body: "(call $print (i32.const 0) (i32.const 5000))",
        limits: { outputBytes: 100 },
      },
      {
        name: "it grew its memory",
        body: `(drop (memory.grow (i32.const 3)))
        (memory.fill (i32.const 65536) (i32.const 255) (i32.const 196608))`,
      },
    ];

  describe("to leave something for the next attempt:", () => {
    test.each(ends)("in memory, globals and tables, after $name", async ({ body, limits = {} }) => {
      const [mark, look, wide] = await Promise.all([marking(body), looking(), looking(4)]);
      for (let round = 0; round < 3; round++) {
        await Promise.all([1, 2, 3, 4].map(() => harness().run(mark, { limits })));
        for (const bytes of [look, wide, mark, look]) {
          const result = await harness().run(bytes, { limits: bytes === mark ? limits : {} });
          if (bytes !== mark) expect(result).toEqual({ ok: true, output: 0, logs: [] });
        }
      }
    });

    test("on stdin that it read half", async () => {
      const half = await program(
        "(call $read (call $get-stdin) (i64.const 16) (i32.const 32)) (i32.const 0)",
      );
      const copy = await program(copyStdin);
      for (let round = 0; round < 5; round++) {
        expect(await harness().run(half)).toMatchObject({ ok: true });
        expect(await harness().run(copy)).toMatchObject({ ok: true, output: stepInput() });
      }
    });

    test("in the log and on stdout", async () => {
      const loud = await program(
        "(call $log (i32.const 4096) (i32.const 6)) (call $print (i32.const 4096) (i32.const 6)) (unreachable)",
        { declarations: '(data (i32.const 4096) "secret")' },
      );
      const quiet = await program("(i32.const 0)");
      for (let round = 0; round < 5; round++) {
        await harness().run(loud);
        expect(await harness().run(quiet)).toEqual({ ok: true, output: null, logs: [] });
      }
    });

    test("by closing what the next one needs", async () => {
      const closing = await wat(`(module
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (drop (call $close (i32.const 0))) (drop (call $close (i32.const 1))) (drop (call $close (i32.const 2)))))`);
      const print = await typed("(call $ok (i32.const 4096) (i32.const 1))", {
        declarations: '(data (i32.const 4096) "1")',
      });
      expect(await harness().run(closing)).toMatchObject({ ok: true });
      expect(await harness().run(print)).toMatchObject({ ok: true, output: 1 });
    });

    test("among objects that every object has", () => {
      expect(Object.isFrozen(Object.prototype)).toBe(false);
      expect(Object.keys(Object.prototype)).toEqual([]);
    });
  });
}
