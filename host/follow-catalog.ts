import type { Clock } from "./clock.ts";
import type { Catalog } from "./state/state.ts";

/** Keeps what a host has made of the catalog up to date. */
export interface CatalogFollower {
  /** Resolves once this revision is loaded; rejects when the host stops before. */
  caughtUp(revision: number | undefined): Promise<void>;
  close(): Promise<void>;
}

interface FollowOptions {
  readonly catalog: Pick<Catalog, "revision" | "watch">;
  readonly clock: Clock;
  /** Reads the catalog anew. */
  load(): Promise<void>;
  onError(error: unknown): void;
}

interface Waiting {
  readonly revision: number;
  resolve(): void;
  reject(error: Error): void;
}

/** The pause before a load that failed is tried again, in milliseconds. */
const retryDelay = 1_000;

/** Loads the catalog, and again after each change; one load at a time, so that none goes back behind another. */
export async function followCatalog(options: FollowOptions): Promise<CatalogFollower> {
  const { catalog, clock, onError } = options;
  let loaded = 0;
  /** Something has changed since the load that is under way began. */
  let stale = false;
  let started = false;
  let closed = false;
  let loading: Promise<void> | undefined;
  let cancelRetry: (() => void) | undefined;
  const waiting = new Set<Waiting>();

  const load = async (): Promise<void> => {
    stale = false;
    const revision = catalog.revision();
    await options.load();
    loaded = revision;
    for (const waiter of waiting) {
      if (waiter.revision > loaded) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  const reload = async (): Promise<void> => {
    try {
      while (stale && !closed) await load();
    } catch (error) {
      onError(error);
      // Nobody would tell of this change once more.
      if (!closed) cancelRetry = clock.schedule(clock.now() + retryDelay, changed);
    }
  };
  const changed = (): void => {
    stale = true;
    if (!started) return;
    loading ??= reload().finally(() => (loading = undefined));
  };

  const watch = await catalog.watch(changed);
  // The first one by itself: a host that can't read the catalog does not start.
  stale = true;
  while (stale) await load();
  started = true;
  return {
    async caughtUp(revision = 0) {
      if (revision <= loaded) return;
      if (closed) throw stopping();
      await new Promise<void>((resolve, reject) => waiting.add({ revision, resolve, reject }));
    },
    async close() {
      closed = true;
      await watch.close();
      cancelRetry?.();
      for (const { reject } of waiting) reject(stopping());
      await loading;
    },
  };
}

function stopping(): Error {
  return new Error("The host is stopping.");
}
