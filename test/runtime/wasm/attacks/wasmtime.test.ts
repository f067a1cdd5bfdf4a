import { describe } from "vitest";
import { createEngine, skipped } from "../wasmtime/engine.ts";
import { attacks } from "./attacks.ts";

describe.skipIf(skipped)("on Wasmtime", () => attacks("wasmtime", createEngine));
