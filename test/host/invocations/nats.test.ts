import { onNatsServer } from "../host-store.ts";
import { invocationsContract } from "./invocations-contract.ts";

onNatsServer((open) => invocationsContract("nats:", open, true));
