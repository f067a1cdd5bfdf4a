import { onNatsServer } from "../host-store.ts";
import { sagasContract } from "./sagas-contract.ts";

onNatsServer((open) => sagasContract("nats:", open));
