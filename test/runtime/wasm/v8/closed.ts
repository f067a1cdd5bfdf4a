import { tmpdir } from "node:os";
import type { EngineChoice } from "../../../../runtime/wasm/choice.ts";
import { createWasmDriver } from "../../../../runtime/wasm/wasm.ts";
import { digest, printing, program } from "../components.ts";
import { stepInput, testLimits } from "../harness.ts";

// Runs some attempts, one of them forever, and closes the driver if asked to. The process must then end by itself.
const [cacheDir = tmpdir(), engine = "auto", close] = process.argv.slice(2);
const artifacts = new Map<string, Uint8Array>();
const driver = createWasmDriver({
  cacheDir,
  engine: engine as EngineChoice,
  artifacts: (sha256) => Promise.resolve(artifacts.get(sha256)),
});
const run = (bytes: Uint8Array, wallMs: number) => {
  const sha256 = digest(bytes);
  artifacts.set(sha256, bytes);
  const limits = { ...testLimits, wallMs };
  return driver.execute({ program: { runtime: { type: "wasm" }, sha256 }, input: stepInput(), limits });
};
const endless = await program("(loop $forever (br $forever)) (i32.const 0)");
const results = [await run(await printing("1"), 10_000), await run(endless, 100)];
if (close === "close") {
  const running = run(endless, 600_000);
  setTimeout(() => void driver.close(), 100);
  results.push(await running);
}
console.log(JSON.stringify(results.map((result) => (result.ok ? result.output : result.failure.code))));
