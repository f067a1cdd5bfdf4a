import { memoryStore, sqliteStore } from "../host-store.ts";
import { collectContract } from "./collect-contract.ts";

collectContract("memory:", memoryStore, { outlivesClose: false });
collectContract("sqlite:", sqliteStore, { outlivesClose: true });
