import { onNatsServer } from "../host-store.ts";
import { commandsContract } from "./commands-contract.ts";

onNatsServer((open) => commandsContract("nats:", open, { shared: true }));
