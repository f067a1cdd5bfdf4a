import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectContract } from "./collect-contract.ts";

collectContract("memory:", async () => ({ config: { store: "memory:" }, dispose: async () => undefined }), {
  outlivesClose: false,
});

collectContract(
  "sqlite:",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-collect-"));
    return {
      config: { store: `sqlite:${join(folder, "store.db")}` },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
  { outlivesClose: true },
);
