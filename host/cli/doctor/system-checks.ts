import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { cliErrors } from "../errors.ts";
import { defaultPort } from "../host-client.ts";
import { span } from "../time.ts";
import type { Check } from "./check.ts";

/** Node and the machine. */
export const nodeCheck: Check = {
  name: "node",
  async run() {
    const { node, v8 } = process.versions;
    // Without JSPI a step that awaits can't run; without extended constants QuickJS does not compile.
    const wasm = (globalThis as { WebAssembly?: object }).WebAssembly ?? {};
    if (!("Suspending" in wasm)) {
      return {
        status: "failed",
        detail: `Node ${node} (V8 ${v8}) has no WebAssembly JavaScript promise integration`,
        next: cliErrors.ERR_NODE_VERSION.next,
      };
    }
    const memory = Math.round(totalmem() / 1024 ** 3);
    const machine = `${process.platform}-${process.arch}, ${availableParallelism()} cores, ${memory} GiB`;
    return { status: "ok", detail: `Node ${node} (V8 ${v8}) on ${machine}` };
  },
};

/** The embedded store: a real one, written and closed. */
export const storeCheck: Check = {
  name: "store",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "millrace-doctor-"));
    try {
      const { openDatabase } = await import("../../sqlite/database.ts");
      const database = openDatabase({ file: join(folder, "store.db") });
      const wake = database.prepare("INSERT INTO wakes (run_id) VALUES (?)");
      const before = performance.now();
      const writes = 10;
      for (let index = 0; index < writes; index += 1) await database.write(() => wake.run(String(index)));
      const each = (performance.now() - before) / writes;
      await database.close();
      return { status: "ok", detail: `sqlite in ${tmpdir()}, a durable write in ${span(each)}` };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The port that `dev` takes. */
export const portCheck: Check = {
  name: "port",
  async run() {
    const { createServer } = await import("node:net");
    const server = createServer();
    const code = await new Promise<string | undefined>((resolve) => {
      server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      server.listen(defaultPort, "127.0.0.1", () => server.close(() => resolve(undefined)));
    });
    if (code === undefined) return { status: "ok", detail: `${defaultPort} on 127.0.0.1 is free` };
    if (await answersAsHost()) return { status: "ok", detail: `a host listens on ${defaultPort} already` };
    return {
      status: "warning",
      detail: `${defaultPort} on 127.0.0.1 can't be had: ${code}`,
      next: "Give `millrace dev` another one: --port 0 takes any that is free.",
    };
  },
};

async function answersAsHost(): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${defaultPort}/healthz`, {
      signal: AbortSignal.timeout(1_000),
    });
    return ((await response.json()) as { status?: unknown }).status === "alive";
  } catch {
    return false;
  }
}
