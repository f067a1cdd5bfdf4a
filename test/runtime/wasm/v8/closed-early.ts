import { tmpdir } from "node:os";
import { createWasmDriver } from "../../../../runtime/wasm/wasm.ts";
import { digest, printing } from "../components.ts";
import { testLimits } from "../harness.ts";

// Closes the driver when its threads have become ready, and this thread has not heard of it yet.
const [cacheDir = tmpdir()] = process.argv.slice(2);
const bytes = await printing("1");
const driver = createWasmDriver({ cacheDir, engine: "v8", artifacts: () => Promise.resolve(bytes) });
await driver.prepare({ runtime: { type: "wasm" }, sha256: digest(bytes) }, testLimits);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
void driver.close().then(() => console.log("closed"));
