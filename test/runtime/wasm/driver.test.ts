import { describe } from "vitest";
import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { driverContract, type DriverFixture } from "../driver-contract.ts";
import { copyStdin, program, text } from "./components.ts";
import { createHarness, type CreateEngine } from "./harness.ts";
import { createEngine, skipped } from "./wasmtime/engine.ts";

/** Logs a text and exits. */
function logging(content: string, status: number): Promise<Uint8Array> {
  const length = Buffer.byteLength(content);
  const body = `(call $log (i32.const 4096) (i32.const ${length})) (call $exit-with-code (i32.const ${status})) (unreachable)`;
  return program(body, { declarations: text(content) });
}

/** The contract's steps as WebAssembly components. */
async function open(createEngine: CreateEngine): Promise<DriverFixture> {
  const harness = createHarness(createEngine);
  const brackets = `
    (memory.fill (i32.const 8192) (i32.const 91) (i32.const 1001))
    (memory.fill (i32.const 9193) (i32.const 93) (i32.const 1001))
    (call $print (i32.const 8192) (i32.const 2002))
    (i32.const 0)`;
  const lines = "first\\nsecond: 世界\\n";
  const logged = Buffer.byteLength(lines) - 2;
  return {
    driver: harness.driver,
    programs: {
      echo: harness.put(await program(copyStdin)),
      nothing: harness.put(await program("(i32.const 0)")),
      text: harness.put(await printed("two\\nlines: 世界\\n", 2)),
      nested: harness.put(await program(brackets)),
      failing: harness.put(await logging("it is broken", 1)),
      fatal: harness.put(await logging("it can't be mended", 65)),
      sleeping: harness.put(
        await program("(call $block (call $subscribe-duration (i64.const 3600000000000))) (i32.const 0)"),
      ),
      flooding: harness.put(
        await program(
          "(loop $more (call $print (i32.const 8192) (i32.const 4096)) (br $more)) (i32.const 0)",
        ),
      ),
      logging: harness.put(
        await program(
          `(call $log (i32.const 4096) (i32.const ${logged}))
           (call $print (i32.const 5000) (i32.const 4)) (i32.const 0)`,
          { declarations: `${text(lines)} (data (i32.const 5000) "true")` },
        ),
      ),
    },
    dispose: () => harness.close(),
  };
}

/** Prints a text in which so many escapes stand for one byte each. */
function printed(content: string, escapes: number): Promise<Uint8Array> {
  const length = Buffer.byteLength(content) - escapes;
  return program(`(call $print (i32.const 4096) (i32.const ${length})) (i32.const 0)`, {
    declarations: text(content),
  });
}

driverContract("wasm on V8", () => open(createV8Engine));

describe.skipIf(skipped)("on Wasmtime", () => {
  driverContract("wasm on Wasmtime", () => open(createEngine));
});
