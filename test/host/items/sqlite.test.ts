import { memoryStore, sqliteStore } from "../host-store.ts";
import { itemsContract } from "./items-contract.ts";

itemsContract("memory:", memoryStore, 10_000);
itemsContract("sqlite:", sqliteStore, 10_000);
