import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowControlContract } from "./flow-control-contract.ts";

flowControlContract(
  "memory:",
  async () => ({ config: { store: "memory:" }, dispose: async () => undefined }),
  { shared: false },
);

flowControlContract(
  "sqlite:",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-flow-control-"));
    return {
      config: { store: `sqlite:${join(folder, "store.db")}` },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  { shared: false },
);
