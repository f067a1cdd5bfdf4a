import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { itemsContract } from "./items-contract.ts";

itemsContract(
  "memory:",
  async () => ({ config: { store: "memory:" }, dispose: async () => undefined }),
  10_000,
);

itemsContract(
  "sqlite:",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-items-"));
    return {
      config: { store: `sqlite:${join(folder, "store.db")}` },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  10_000,
);
