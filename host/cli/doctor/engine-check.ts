import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attempt } from "../../../runtime/driver.ts";
import { span } from "../time.ts";
import type { Check, CheckResult } from "./check.ts";

/**
 * A core module of 126 bytes that imports `fd_write` of wasi_snapshot_preview1 and prints "ok" with its quotes:
 * (memory (data "\08\00\00\00\04\00\00\00\22ok\22")) (func (export "_start") (drop (call $fd_write 1 0 1 16)))
 */
const printsOk = Buffer.from(
  "AGFzbQEAAAABDAJgBH9/f38Bf2AAAAIjARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGZkX3dyaXRlAAADAgEBBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAEKDwENAEEBQQBBAUEQEAAaCwsSAQBBAAsMCAAAAAQAAAAib2si",
  "base64",
);

/** The engine: compiles a program from nothing, and runs it. */
export const engineCheck: Check = {
  name: "engine",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "millrace-doctor-"));
    try {
      const { chooseEngine } = await import("../../../runtime/wasm/choice.ts");
      const { why } = chooseEngine("auto");
      const result = await runProgram(printsOk, "ok", folder);
      return { ...result, detail: `${result.detail} (${why})` };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Runs a component once on the driver for Wasm, and compares what it puts out. */
export async function runProgram(bytes: Uint8Array, output: string, cacheDir: string): Promise<CheckResult> {
  const { createDrivers } = await import("../../../runtime/drivers.ts");
  const { defaultLimits } = await import("../../../runtime/limits.ts");
  const { chooseEngine } = await import("../../../runtime/wasm/choice.ts");
  const { name } = chooseEngine("auto");
  const drivers = createDrivers({ artifacts: async () => bytes, cacheDir, parallelism: 1, engine: name });
  try {
    const driver = drivers.get("wasm");
    if (driver === undefined) return { status: "failed", detail: "there is no driver for Wasm steps" };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const program = { runtime: { type: "wasm" }, sha256 } as const;
    const begun = performance.now();
    const refused = await driver.prepare(program, defaultLimits);
    if (refused !== undefined) return { status: "failed", detail: `${refused.code} ${refused.message}` };
    const prepared = performance.now();
    const result = await driver.execute({ program, limits: defaultLimits, input: anyInput() });
    const done = performance.now();
    if (!result.ok) return { status: "failed", detail: `${result.failure.code} ${result.failure.message}` };
    if (result.output !== output) {
      return { status: "failed", detail: `the program put out ${JSON.stringify(result.output)}` };
    }
    return {
      status: "ok",
      detail: `${name}, compiled in ${span(prepared - begun)}, ran in ${span(done - prepared)}`,
    };
  } finally {
    for (const driver of drivers.values()) await driver.close();
  }
}

function anyInput(): Attempt["input"] {
  const now = Date.now();
  return {
    event: { id: "doctor", name: "doctor", data: {}, ts: now },
    steps: {},
    ctx: {
      runId: "doctor",
      functionId: "doctor",
      functionVersion: "doctor",
      stepId: "doctor",
      attempt: 1,
      deadline: now + 30_000,
      idempotencyKey: "doctor",
    },
  };
}
