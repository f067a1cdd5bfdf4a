import type { Broker } from "../../host/broker/broker.ts";
import type { Catalog, Runs, State, Waits } from "../../host/state/state.ts";
import type { Store } from "../../host/store.ts";

/** Something that must not be, between a host and its store. */
export type Break = (store: Store) => Store;

/** A broker that does something otherwise. */
export function withBroker(change: (broker: Broker) => Partial<Broker>): Break {
  return (store) => ({ ...store, broker: { ...store.broker, ...change(store.broker) } });
}

/** A state that does. */
export function withState(change: (state: State) => Partial<State>): Break {
  return (store) => ({ ...store, state: { ...store.state, ...change(store.state) } });
}

/** Waits that do. */
export function withWaits(change: (waits: Waits) => Partial<Waits>): Break {
  return (store) => ({
    ...store,
    state: { ...store.state, waits: { ...store.state.waits, ...change(store.state.waits) } },
  });
}

/** Runs that do. */
export function withRuns(change: (runs: Runs) => Partial<Runs>): Break {
  return (store) => ({
    ...store,
    state: { ...store.state, runs: { ...store.state.runs, ...change(store.state.runs) } },
  });
}

/** A catalog that does. */
export function withCatalog(change: (catalog: Catalog) => Partial<Catalog>): Break {
  return withState(({ catalog }) => ({ catalog: { ...catalog, ...change(catalog) } }));
}
