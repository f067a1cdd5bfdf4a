import { onNatsServer } from "../host-store.ts";
import { collectContract } from "./collect-contract.ts";

onNatsServer((open) => collectContract("nats:", open, { outlivesClose: true }));
