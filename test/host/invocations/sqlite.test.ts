import { memoryStore, sqliteStore } from "../host-store.ts";
import { invocationsContract } from "./invocations-contract.ts";

invocationsContract("memory:", memoryStore, false);
invocationsContract("sqlite:", sqliteStore, true);
