import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { installNatsServer } from "../host/nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../host/nats/server.ts";
import { unavailable } from "./unavailable.ts";

/** How the measured server is set up, in words. */
export const serverDefaults = "one nats-server, file storage, its default sync_interval (2 min)";

/** Calls `use` with a server of its own. */
export async function withNatsServer<T>(
  use: (server: NatsServer) => Promise<T>,
  { syncAlways = false }: { readonly syncAlways?: boolean } = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const config = join(folder, "nats-server.conf");
  writeFileSync(
    config,
    `jetstream { store_dir: ${JSON.stringify(folder)}${syncAlways ? ", sync_interval: always" : ""} }`,
  );
  try {
    const server = await startNatsServer(program(), { args: ["--config", config], jetstream: false });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Messages that the streams of an installation have taken so far, by stream. */
export async function published(server: NatsServer, prefix = "millrace"): Promise<Record<string, number>> {
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  const counts: Record<string, number> = {};
  for await (const { config, state } of manager.streams.list()) {
    if (config.name.startsWith(`${prefix}-`)) counts[config.name.slice(prefix.length + 1)] = state.last_seq;
  }
  await connection.close();
  return counts;
}

function program(): string {
  try {
    return installNatsServer();
  } catch (error) {
    throw unavailable((error as Error).message);
  }
}
