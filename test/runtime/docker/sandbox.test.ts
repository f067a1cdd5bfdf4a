import { afterAll, describe } from "vitest";
import { type Dockerd, dockerdForTests } from "./dockerd.ts";
import { sandboxContract } from "./sandbox-contract.ts";

const dockerd = await dockerdForTests();
afterAll(() => dockerd?.close());

describe.skipIf(dockerd === undefined)("on Docker", () => {
  sandboxContract(() => dockerd as Dockerd);
});
