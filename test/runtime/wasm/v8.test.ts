import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { capabilitiesContract } from "./capabilities-contract.ts";
import { callsContract } from "./calls-contract.ts";
import { configContract } from "./config-contract.ts";
import { engineContract } from "./engine-contract.ts";
import { httpContract } from "./http-contract.ts";
import { kvContract } from "./kv-contract.ts";
import { limitsContract } from "./limits-contract.ts";
import { tmpContract } from "./tmp-contract.ts";

engineContract("v8", createV8Engine);
limitsContract("v8", createV8Engine);
capabilitiesContract("v8", createV8Engine);
tmpContract("v8", createV8Engine);
callsContract("v8", createV8Engine);
kvContract("v8", createV8Engine);
configContract("v8", createV8Engine);
httpContract("v8", createV8Engine);
