import { afterEach } from "vitest";
import { type Clock, systemClock } from "../../../host/clock.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";

/** A step that begins, and ends when it is told to. */
export function createGate() {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let most = 0;
  let begun = 0;
  const order: unknown[] = [];
  return {
    /** Steps that have begun and not ended, now and at most, and that have begun at all. */
    get underWay() {
      return underWay;
    },
    get most() {
      return most;
    },
    get begun() {
      return begun;
    },
    /** `data.n` of the events, as their steps began. */
    order,
    async step({ event }: Parameters<Program>[0]): Promise<null> {
      underWay += 1;
      begun += 1;
      most = Math.max(most, underWay);
      order.push((event.data as { n?: unknown }).n);
      await new Promise<void>((resolve) => waiting.push(resolve));
      underWay -= 1;
      return null;
    },
    open(): void {
      waiting.shift()?.();
    },
  };
}

/** Hosts on one store, ended with the test: three on a shared one. */
export function useHosts(open: () => Promise<HostStore>, count: number) {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  const hosts = async (
    programs: Readonly<Record<string, Program>>,
    more: Partial<FunctionDocument>,
    clock: Clock = systemClock,
  ): Promise<readonly Host[]> => {
    const { config, dispose } = await open();
    cleanups.push(dispose);
    const all: Host[] = [];
    for (let i = 0; i < count; i++) {
      const drivers = inProcessDrivers(programs);
      const host = await createHost({ ...config, drivers, clock, name: `h${i}` });
      cleanups.push(() => host.close());
      all.push(host);
    }
    await deploy(all[0]!, programs, more);
    // An event meets at least the functions that its publisher knew.
    await until(() => all.every((host) => host.functions().length === 1));
    return all;
  };
  return hosts;
}

export async function deploy(
  host: Host,
  programs: Readonly<Record<string, Program>>,
  more: Partial<FunctionDocument>,
): Promise<void> {
  const steps = Object.fromEntries(Object.keys(programs).map((id) => [id, {}]));
  const document: FunctionDocument = { id: "f", triggers: [{ event: "a/b" }], steps, ...more };
  await host.deploy([functionVersion(document, {}, 0)]);
}

export function idOf(event: string): string {
  return runId("f", event);
}

export function lastOf(run: StoredRun | undefined) {
  return run?.history.at(-1);
}

/** Publishes events in turn, each by another host, and resolves when all of their runs are stored. */
export async function publish(
  on: readonly Host[],
  events: readonly (readonly [string, object])[],
): Promise<void> {
  for (const [i, [id, data]] of events.entries()) {
    const host = on[i % on.length]!;
    await host.publish([{ id, name: "a/b", data }]);
    await until(async () => (await host.runs.load(idOf(id))) !== undefined);
  }
}
