import { describe } from "vitest";
import type { CreateEngine } from "../harness.ts";
import { createEngine, skipped } from "../wasmtime/engine.ts";
import { attacks } from "./attacks.ts";

const mebibyte = 1024 * 1024;

/**
 * With few programs kept, so that what each of them holds open (a file for its memory) is seen to be given back, and
 * less time to compile, so that it need not be waited for.
 */
const keepingFew: CreateEngine = (options) =>
  createEngine({
    ...options,
    kept: { bytes: 64 * mebibyte, memories: 8 },
    compile: { cpuMs: 5_000, memoryBytes: 1024 * mebibyte },
  });

describe.skipIf(skipped)("on Wasmtime", () => attacks("wasmtime", keepingFew));
