import { afterAll, describe } from "vitest";
import { driverContract } from "../driver-contract.ts";
import { openOn } from "./contract-steps.ts";
import { type Dockerd, dockerdForTests } from "./dockerd.ts";

const dockerd = await dockerdForTests();
afterAll(() => dockerd?.close());

describe.skipIf(dockerd === undefined)("on a real engine", () => {
  driverContract("docker", () => openOn(dockerd as Dockerd), { ran: true });
});
