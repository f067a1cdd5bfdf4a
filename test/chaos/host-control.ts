import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../../runtime/driver.ts";
import type { NatsOptions } from "../../host/nats/options.ts";

/** How a host process is started. */
export interface HostOrder {
  readonly store: string;
  readonly name: string;
  readonly nats: NatsOptions;
  readonly runtimes: readonly RuntimeName[];
  readonly maxRuns: number;
  /** How long a slow step takes, in milliseconds. */
  readonly slowMs: number;
  /** File that gets a line for each execution. */
  readonly executions: string;
  readonly deploy: boolean;
}

/** What the parent says to a host process: publish, or (without events) close. */
export type HostRequest =
  | { readonly id: number; readonly events: readonly unknown[] }
  | { readonly id: number };
/** With a code: the request failed. */
export type HostAnswer = "ready" | { readonly id: number; readonly code?: string };

/** A host in a process of its own. */
export interface HostControl {
  readonly name: string;
  /** Started and neither killed nor paused. */
  readonly well: boolean;
  start(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Resolves to undefined once all are acknowledged, or to the error's code; "lost": no answer came. */
  publish(events: readonly unknown[]): Promise<string | undefined>;
  /** Has it close itself; resolves to its exit code. */
  close(): Promise<number | null>;
}

const script = fileURLToPath(new URL("host-process.ts", import.meta.url));
/** How long a publish is waited for before its sender takes it for lost, in milliseconds. */
const patienceMs = 8_000;

export function createHostControl(order: HostOrder): HostControl {
  let child: ChildProcess | undefined;
  let well = false;
  let requests = 0;
  const waiting = new Map<number, (code: string | undefined) => void>();

  const giveUp = (): void => {
    for (const resolve of waiting.values()) resolve("lost");
    waiting.clear();
  };

  const start = async (): Promise<void> => {
    const started = fork(script, [JSON.stringify(order)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once("exit", (code, signal) => {
        if (child === started) well = false;
        giveUp();
        reject(new Error(`${order.name} ended with ${code ?? signal}`));
      });
      started.on("message", (message: HostAnswer) => {
        if (message === "ready") {
          well = true;
          return resolve();
        }
        waiting.get(message.id)?.(message.code);
        waiting.delete(message.id);
      });
    });
  };

  const ended = async (of: ChildProcess): Promise<void> => {
    if (of.exitCode === null && of.signalCode === null) await once(of, "exit");
  };

  return {
    name: order.name,
    get well() {
      return well;
    },
    start,
    async kill() {
      if (child === undefined) return;
      well = false;
      child.kill("SIGKILL");
      await ended(child);
    },
    pause() {
      well = false;
      child?.kill("SIGSTOP");
    },
    resume() {
      child?.kill("SIGCONT");
      well = child?.exitCode === null && child.signalCode === null;
    },
    publish(events) {
      const id = (requests += 1);
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      if (child?.connected !== true) return Promise.resolve("lost");
      waiting.set(id, resolve);
      const timer = setTimeout(() => resolve("lost"), patienceMs);
      // A process that was killed a moment ago takes nothing; its exit settles what waits.
      child.send({ id, events }, (error) => error && resolve("lost"));
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(id);
      });
    },
    async close() {
      const closing = child;
      if (closing === undefined) return null;
      if (closing.connected) closing.send({ id: (requests += 1) });
      await ended(closing);
      return closing.exitCode;
    },
  };
}
