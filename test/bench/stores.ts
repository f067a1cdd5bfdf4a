import { join } from "node:path";
import type { HostConfig } from "../../host/index.ts";
import { withFolder } from "./folder.ts";
import { serverDefaults, withNatsServer } from "./nats-store.ts";

/** A kind of store that is measured. */
export interface BenchStore {
  readonly store: "sqlite" | "nats";
  readonly settings: { readonly settings?: string };
  /** A store of its own. */
  open(name: string): Pick<HostConfig, "store" | "nats">;
}

/** Calls `use` with the embedded store, and then with one nats-server. */
export async function withBenchStores(use: (store: BenchStore) => Promise<void>): Promise<void> {
  const only = process.env["MILLRACE_BENCH_STORE"];
  if (only !== "nats") {
    await withFolder((folder) =>
      use({
        store: "sqlite",
        settings: {},
        open: (name) => ({ store: `sqlite:${join(folder, `${name}.db`)}` }),
      }),
    );
  }
  if (only === "sqlite") return;
  await withNatsServer((server) =>
    use({
      store: "nats",
      settings: { settings: serverDefaults },
      open: (prefix) => ({ store: server.url, nats: { prefix } }),
    }),
  );
}
