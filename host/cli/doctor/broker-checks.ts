import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { systemClock } from "../../clock.ts";
import { isNatsUrl } from "../../nats/options.ts";
import { natsOptions } from "../settings/flags.ts";
import type { Settings } from "../settings/resolve.ts";
import { span } from "../time.ts";
import type { CheckResult } from "./check.ts";

type Named = { readonly name: string } & CheckResult;

const upgrade = "Install nats-server 2.12 or newer.";

/** Looks at the store that was named, if any, and writes nothing into it. Throws what keeps it from being reached. */
export async function* brokerResults(settings: Settings): AsyncGenerator<Named> {
  const broker = settings.text("broker");
  if (broker === undefined) return;
  if (!isNatsUrl(broker)) {
    const [, file] = /^sqlite:([^?]+)/.exec(broker) ?? [];
    if (file !== undefined && !existsSync(file)) {
      yield { name: "broker", status: "ok", detail: `${file} is not there yet: the first host makes it` };
      return;
    }
    const { openDeployer } = await import("../../index.ts");
    const store = await openDeployer({ store: broker });
    const functions = await store.active();
    await store.close();
    yield { name: "broker", status: "ok", detail: `${broker} opens, with ${functions.length} functions` };
    return;
  }
  const { connectTo } = await import("../../nats/session.ts");
  const options = natsOptions(settings);
  const name = `doctor-${hostname()}`;
  const connection = await connectTo(broker, { ...options, clock: systemClock, name });
  try {
    const rtt = await connection.rtt();
    const { version = "0", jetstream, cluster, server_name: server = "" } = connection.info ?? {};
    yield { name: "broker", status: "ok", detail: `${server} answers in ${span(rtt)}` };
    yield versionResult(version);
    if (jetstream !== true) {
      const next = "Start it with --jetstream, or with jetstream { store_dir: … } in its configuration.";
      yield { name: "streams", status: "failed", detail: `JetStream is off on ${server}`, next };
      return;
    }
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const manager = await jetstreamManager(connection, { timeout: 5_000 });
    const { streams, storage } = await manager.getAccountInfo();
    yield {
      name: "streams",
      status: "ok",
      detail: `JetStream is on: ${streams} streams, ${Math.ceil(storage / 1024 ** 2)} MiB stored`,
    };
    const stream = `${options.prefix ?? "millrace"}-events`;
    const found = await manager.streams.info(stream).catch(() => undefined);
    yield durability(stream, found?.config.num_replicas, cluster);
  } finally {
    await connection.close();
  }
}

function versionResult(version: string): Named {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const enough = major > 2 || (major === 2 && minor >= 12);
  const detail = `nats-server ${version}${enough ? "" : " is too old"}`;
  return enough
    ? { name: "server", status: "ok", detail }
    : { name: "server", status: "failed", detail, next: upgrade };
}

/** What the server's sync_interval is, no client can read. */
function durability(stream: string, replicas: number | undefined, cluster: string | undefined): Named {
  const name = "durable";
  if (replicas === undefined) {
    const wish =
      cluster === undefined ? "" : `; the server is in the cluster ${cluster}: begin with --replicas 3`;
    return { name, status: "ok", detail: `${stream} is not there yet: the first host makes it${wish}` };
  }
  if (replicas > 1) return { name, status: "ok", detail: `${replicas} replicas of ${stream}` };
  return {
    name,
    status: "warning",
    detail: `1 replica of ${stream}: a power cut loses what the server has not flushed (2 minutes by default)`,
    next:
      cluster === undefined
        ? "Set sync_interval: always in the server's jetstream block, which clients can't see, if that matters."
        : `Start hosts with --replicas 3 (the server is in the cluster ${cluster}), or set sync_interval: always.`,
  };
}
