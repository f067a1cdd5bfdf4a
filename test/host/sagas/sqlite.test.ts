import { memoryStore, sqliteStore } from "../host-store.ts";
import { sagasContract } from "./sagas-contract.ts";

sagasContract("memory:", memoryStore);
sagasContract("sqlite:", sqliteStore);
