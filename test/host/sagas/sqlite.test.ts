import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sagasContract } from "./sagas-contract.ts";

sagasContract("memory:", async () => ({ config: { store: "memory:" }, dispose: async () => undefined }));

sagasContract("sqlite:", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-sagas-"));
  return {
    config: { store: `sqlite:${join(folder, "store.db")}` },
    dispose: () => rm(folder, { recursive: true }),
  };
});
