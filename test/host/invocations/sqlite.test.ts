import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invocationsContract } from "./invocations-contract.ts";

invocationsContract(
  "memory:",
  async () => ({ config: { store: "memory:" }, dispose: async () => undefined }),
  false,
);

invocationsContract(
  "sqlite:",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-invocations-"));
    return {
      config: { store: `sqlite:${join(folder, "store.db")}` },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  true,
);
