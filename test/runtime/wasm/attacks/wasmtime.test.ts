import { describe } from "vitest";
import type { CreateEngine } from "../harness.ts";
import { createEngine, skipped } from "../wasmtime/engine.ts";
import { attacks } from "./attacks.ts";

/** With few programs kept, so that what each of them holds open (a file for its memory) is seen to be given back. */
const keepingFew: CreateEngine = (options) =>
  createEngine({ ...options, kept: { bytes: 64 * 1024 * 1024, memories: 8 } });

// /tmp is not there yet.
describe.skipIf(skipped)("on Wasmtime", () => attacks("wasmtime", keepingFew, { tmp: false }));
