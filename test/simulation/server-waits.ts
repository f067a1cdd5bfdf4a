import type { ArmedWait } from "../../host/state/state.ts";

/** The armed waits of the simulated store; every operation is atomic. */
export interface ServerWaits {
  declare(eventName: string, path: string): void;
  paths(eventName: string): readonly string[];
  arm(waits: readonly ArmedWait[]): void;
  disarm(waits: readonly ArmedWait[]): void;
  find(
    key: string,
    page: { readonly after?: string; readonly limit: number },
  ): { readonly waits: readonly Pick<ArmedWait, "runId" | "wait">[]; readonly next?: string };
  readonly armed: number;
}

/** Waits of a page; as few as can be, so that there are several. */
const pageSize = 1;

export function createServerWaits(): ServerWaits {
  const paths = new Map<string, Set<string>>();
  const armed = new Map<string, ArmedWait>();
  const nameOf = ({ key, runId, wait }: ArmedWait): string => `${key} ${runId} ${wait}`;
  return {
    declare(eventName, path) {
      paths.set(eventName, new Set([...(paths.get(eventName) ?? []), path]));
    },
    paths: (eventName) => [...(paths.get(eventName) ?? [])],
    arm(waits) {
      for (const wait of waits) armed.set(nameOf(wait), wait);
    },
    disarm(waits) {
      for (const wait of waits) armed.delete(nameOf(wait));
    },
    find(key, { after = "" }) {
      const all = [...armed]
        .filter(([name]) => name.startsWith(`${key} `) && name > after)
        .toSorted(([one], [other]) => (one < other ? -1 : 1));
      const page = all.slice(0, pageSize);
      const last = page.at(-1)?.[0];
      return {
        waits: page.map(([, { runId, wait }]) => ({ runId, wait })),
        ...(all.length > pageSize && last !== undefined ? { next: last } : {}),
      };
    },
    get armed() {
      return armed.size;
    },
  };
}
