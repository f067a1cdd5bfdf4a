import type { Catalog } from "./state/state.ts";

/** Keeps what a host has made of the catalog up to date. */
export interface CatalogFollower {
  /** Resolves once this revision is loaded; rejects when the host stops before. */
  caughtUp(revision: number | undefined): Promise<void>;
  close(): Promise<void>;
}

interface FollowOptions {
  readonly catalog: Pick<Catalog, "revision" | "watch">;
  /** Reads the catalog anew. */
  load(): Promise<void>;
  onError(error: unknown): void;
}

interface Waiting {
  readonly revision: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Loads the catalog, and again after each change; one load at a time, and none of them goes back behind another. */
export async function followCatalog({ catalog, load, onError }: FollowOptions): Promise<CatalogFollower> {
  let loaded = -1;
  let loading: Promise<void> | undefined;
  const waiting = new Set<Waiting>();

  const reload = async (): Promise<void> => {
    while (loaded !== catalog.revision()) {
      const revision = catalog.revision();
      await load();
      loaded = revision;
    }
    for (const waiter of waiting) {
      if (waiter.revision > loaded) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  const changed = (): void => {
    loading ??= reload()
      .catch(onError)
      .finally(() => (loading = undefined));
  };

  const watch = await catalog.watch(changed);
  await reload();
  return {
    caughtUp(revision = 0) {
      if (revision <= loaded) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.add({ revision, resolve, reject });
      // This host may know the revision and not have loaded it.
      changed();
      return promise;
    },
    async close() {
      await watch.close();
      await loading;
      for (const { reject } of waiting) reject(new Error("The host is stopping."));
    },
  };
}
