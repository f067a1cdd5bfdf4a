import { onNatsServer } from "../host-store.ts";
import { admissionContract } from "./admission-contract.ts";
import { concurrencyContract } from "./concurrency-contract.ts";

onNatsServer((open) => {
  admissionContract("nats:", open, { shared: true });
  concurrencyContract("nats:", open, { shared: true });
});
