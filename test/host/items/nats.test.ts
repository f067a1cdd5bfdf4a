import { onNatsServer } from "../host-store.ts";
import { itemsContract } from "./items-contract.ts";

onNatsServer((open) => itemsContract("nats:", open, 10_000));
