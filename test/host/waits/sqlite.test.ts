import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitsContract } from "./waits-contract.ts";

waitsContract("memory:", async () => ({ config: { store: "memory:" }, dispose: async () => undefined }), {
  outlivesClose: false,
});

waitsContract(
  "sqlite:",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-waits-"));
    return {
      config: { store: `sqlite:${join(folder, "store.db")}` },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  { outlivesClose: true },
);
