import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { capabilitiesContract } from "./capabilities-contract.ts";
import { engineContract } from "./engine-contract.ts";
import { limitsContract } from "./limits-contract.ts";
import { tmpContract } from "./tmp-contract.ts";

engineContract("v8", createV8Engine);
limitsContract("v8", createV8Engine);
capabilitiesContract("v8", createV8Engine);
tmpContract("v8", createV8Engine);
