/**
 * A host to be killed, paused and cut off: its one argument is a HostOrder in JSON. It says "ready" to its parent,
 * publishes what the parent sends it, and notes every execution in a file, a line each.
 */
import { appendFileSync } from "node:fs";
import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import { createHost, type Host } from "../../host/index.ts";
import { MillraceError } from "../../host/errors.ts";
import { inProcessDrivers } from "../host/in-process-driver.ts";
import { programs, versions } from "./functions.ts";
import type { HostAnswer, HostOrder, HostRequest } from "./host-control.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as HostOrder;
// Whatever happens to the parent, nothing stays behind.
process.on("disconnect", () => process.exit(2));

const inProcess = inProcessDrivers(
  programs(order.slowMs, (runId, stepId, attempt) =>
    appendFileSync(order.executions, `${runId} ${stepId} ${attempt} ${order.name}\n`),
  ),
).get("wasm");

function drivers(): ReadonlyMap<RuntimeName, Driver> {
  const byName = new Map<RuntimeName, Driver>();
  for (const name of order.runtimes) if (inProcess !== undefined) byName.set(name, { ...inProcess, name });
  return byName;
}

/** The servers may be down, or without a leader, while a host starts; whoever starts hosts starts them again. */
async function open(): Promise<Host> {
  for (;;) {
    try {
      const { store, name, nats, maxRuns } = order;
      const host = await createHost({ store, name, nats, maxRuns, drivers: drivers() });
      if (order.deploy) await host.deploy(versions);
      return host;
    } catch (error) {
      if (!(error instanceof MillraceError) || !error.code.startsWith("ERR_STORE_")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function answer(message: HostAnswer): void {
  if (process.connected) process.send?.(message);
}

async function publish(host: Host, id: number, events: readonly unknown[]): Promise<void> {
  try {
    await host.publish(events);
    answer({ id });
  } catch (error) {
    answer({ id, code: error instanceof MillraceError ? error.code : String(error) });
  }
}

const host = await open();
process.on("message", (request: HostRequest) => {
  if ("events" in request) void publish(host, request.id, request.events);
  else void host.close().then(() => process.exit(0));
});
answer("ready");
