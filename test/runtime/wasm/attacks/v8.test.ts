import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { attacks } from "./attacks.ts";
import { linkerAttacks } from "./v8-linker.ts";

attacks("v8", createV8Engine);
linkerAttacks("v8", createV8Engine);
