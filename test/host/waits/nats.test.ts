import { onNatsServer } from "../host-store.ts";
import { waitsContract } from "./waits-contract.ts";

onNatsServer((open) => waitsContract("nats:", open, { outlivesClose: true }));
