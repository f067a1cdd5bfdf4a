import { memoryStore, sqliteStore } from "../host-store.ts";
import { waitsContract } from "./waits-contract.ts";

waitsContract("memory:", memoryStore, { outlivesClose: false });
waitsContract("sqlite:", sqliteStore, { outlivesClose: true });
