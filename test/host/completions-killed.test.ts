import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { RunDetail } from "../../host/run/view.ts";
import { runId } from "../../host/index.ts";
import { startReceiver, type Receiver } from "../runtime/http/receiver.ts";
import { findNatsServer } from "./nats/find-server.ts";
import { startNatsServer } from "./nats/server.ts";

const script = fileURLToPath(new URL("completing-host.ts", import.meta.url));
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface HostProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startHost(store: string, { port }: Receiver): Promise<HostProcess> {
  const child = spawn(process.execPath, [script, store, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  closers.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, url: line.toString().trim() };
}

async function finished({ url }: HostProcess, id: string): Promise<RunDetail> {
  for (;;) {
    const run = (await (await fetch(`${url}/v1/runs/${id}`)).json()) as RunDetail;
    if (run.finishedAt !== undefined) return run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const stores: readonly (readonly [string, () => Promise<string>])[] = [
  [
    "sqlite",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "millrace-completed-"));
      closers.push(() => rm(folder, { recursive: true }));
      return `sqlite:${join(folder, "store.db")}`;
    },
  ],
  [
    "nats",
    async () => {
      const server = await startNatsServer(findNatsServer() ?? "");
      closers.push(() => server.stop());
      return server.url;
    },
  ],
];

describe.each(stores.filter(([name]) => name !== "nats" || findNatsServer() !== undefined))(
  "a completion on %s",
  (_, open) => {
    test("whose host was killed before it came is taken by the next one, at the same address", async () => {
      const store = await open();
      const callbacks: string[] = [];
      const receiver = await startReceiver(({ path, headers }, response) => {
        if (path === "/after") return response.writeHead(200).end();
        callbacks.push(String(headers["millrace-callback"]));
        return response.writeHead(202).end();
      });
      closers.push(() => receiver.close());
      const first = await startHost(store, receiver);
      await fetch(`${first.url}/e/test`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "e", id: "1" }),
      });
      await expect.poll(() => callbacks.length, { timeout: 30_000 }).toBe(1);
      first.child.kill("SIGKILL");
      await once(first.child, "exit");

      const second = await startHost(store, receiver);
      const there = String(callbacks[0]).replace(/^.*\/v1/, `${second.url}/v1`);
      // Until the attempt is made again it has to come again.
      const statuses: number[] = [];
      const complete = async (): Promise<number> => {
        const { status } = await fetch(there, { method: "POST", body: '"long work"' });
        statuses.push(status);
        return status;
      };
      await expect.poll(complete, { timeout: 60_000, interval: 50 }).toBe(200);
      expect(new Set(statuses.slice(0, -1))).toEqual(new Set(statuses.length > 1 ? [503] : []));
      const { status, steps } = await finished(second, runId("f", "1"));
      expect([status, steps[0]?.output, steps[0]?.attempts.length]).toEqual(["completed", "long work", 1]);
      expect(new Set(callbacks.map((callback) => callback.split("/").at(-1))).size).toBe(1);
    }, 120_000);

    test("that was acknowledged outlives its host, which is killed at once", async () => {
      const store = await open();
      const rounds = 5;
      /** Receives what calls the address of the step's attempt. */
      let accepted: (callback: string) => void = () => {};
      const receiver = await startReceiver(({ path, headers }, response) => {
        if (path === "/after") return response.writeHead(200).end('"went on"');
        response.writeHead(202).end();
        return accepted(String(headers["millrace-callback"]));
      });
      closers.push(() => receiver.close());
      const callbacks: string[] = [];
      let host = await startHost(store, receiver);
      for (let round = 1; round <= rounds; round++) {
        const asked = new Promise<string>((resolve) => (accepted = resolve));
        await fetch(`${host.url}/e/test`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: "e", id: String(round) }),
        });
        const callback = await asked;
        callbacks.push(callback);
        const { status } = await fetch(callback, { method: "POST", body: JSON.stringify({ round }) });
        host.child.kill("SIGKILL");
        expect(status).toBe(200);
        await once(host.child, "exit");
        host = await startHost(store, receiver);
      }

      for (let round = 1; round <= rounds; round++) {
        const { status, steps } = await finished(host, runId("f", String(round)));
        expect(status).toBe("completed");
        expect(steps.map(({ output, attempts }) => [output, attempts.length])).toEqual([
          [{ round }, 1],
          ["went on", 1],
        ]);
      }
      const asked = receiver.received.filter(({ path }) => path === "/long");
      expect(asked).toHaveLength(rounds);
      // Who did not hear that it was recorded, and asks whoever is there now, hears it.
      for (const callback of callbacks) {
        const there = callback.replace(/^.*\/v1/, `${host.url}/v1`);
        expect((await fetch(there, { method: "POST", body: "1" })).status).toBe(200);
      }
    }, 120_000);
  },
);
