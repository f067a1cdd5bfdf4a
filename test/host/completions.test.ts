import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createApi } from "../../host/api/server.ts";
import { createCompletions, type HeldCompletions } from "../../host/completions.ts";
import { functionVersion } from "../../host/function/define.ts";
import { createHost, type Host, type HostConfig, runId } from "../../host/index.ts";
import type { StoredRun } from "../../host/state/state.ts";
import type { StepContext } from "../../runtime/input.ts";
import { startReceiver, type Answer, type Receiver } from "../runtime/http/receiver.ts";
import { findNatsServer } from "./nats/find-server.ts";
import { startNatsServer } from "./nats/server.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A host with its API, which is where its receivers complete steps. */
async function serve(config: Partial<HostConfig> = {}): Promise<{ host: Host; url: string }> {
  const listening = Promise.withResolvers<string>();
  const host = await createHost({
    store: "memory:",
    runtimes: ["http"],
    callbackUrl: listening.promise,
    ...config,
  });
  closers.push(() => host.close());
  const api = await createApi(host, { eventKeys: "any" });
  closers.push(() => api.close());
  const { url } = await api.listen();
  listening.resolve(url);
  return { host, url };
}

async function receiverWith(answer: Answer): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  closers.push(() => receiver.close());
  return receiver;
}

/** Deploys a function with one step at a receiver, which is not tried again. */
async function deploy(host: Host, { port }: Receiver, step: object = {}): Promise<void> {
  const runtime = { type: "http", url: `http://127.0.0.1:${port}/`, private: true } as const;
  const steps = { a: { runtime, retry: { retries: 0 }, ...step } };
  await host.deploy([functionVersion({ id: "f", triggers: [{ event: "e" }], steps }, {}, 0)]);
}

async function run(host: Host, id = "1"): Promise<StoredRun> {
  await host.publish([{ name: "e", id }]);
  return host.finished(runId("f", id));
}

/** What became of the step's last attempt. */
function ending({ history }: StoredRun): object {
  const last = history.findLast((entry) => entry.type === "step.completed" || entry.type === "step.failed");
  return last === undefined ? {} : last;
}

const post = (url: string, body?: string, json = false): Promise<Response> =>
  fetch(url, {
    method: "POST",
    ...(body !== undefined && { body }),
    headers: json ? { "content-type": "application/json" } : {},
  });

/** Accepts, and then calls the address that it was given. */
const accepting =
  (then: (callback: string) => unknown): Answer =>
  ({ headers }, response) => {
    response.writeHead(202).end();
    setTimeout(() => void then(String(headers["millrace-callback"])), 20);
  };

describe("a step that its receiver accepts with 202", () => {
  test.each([
    ["JSON", '{"sent":1}', { sent: 1 }],
    ["text", "done\n", "done"],
    ["nothing", undefined, null],
  ])("is completed by a later call, with %s", async (_, body, output) => {
    const { host } = await serve();
    let answered: Response | undefined;
    const receiver = await receiverWith(accepting(async (url) => (answered = await post(url, body))));
    await deploy(host, receiver);
    const finished = await run(host);
    expect(finished.status).toBe("completed");
    expect(ending(finished)).toMatchObject({ output });
    expect(answered?.status ?? 200).toBe(200);
  });

  test.each([
    ['{"message":"not now"}', { code: "ERR_STEP_FAILED", message: "not now" }],
    ['{"message":"never","fatal":true}', { code: "ERR_STEP_FATAL", message: "never" }],
  ])("fails by a later call that says %s", async (body, failure) => {
    const { host } = await serve();
    const receiver = await receiverWith(accepting((url) => post(`${url}/failure`, body, true)));
    await deploy(host, receiver);
    expect(ending(await run(host))).toMatchObject({ failure });
  });

  test("is tried again when its receiver asks for it", async () => {
    const { host } = await serve();
    let calls = 0;
    const receiver = await receiverWith(
      accepting((url) =>
        (calls += 1) === 1
          ? post(`${url}/failure`, '{"message":"later","retryAfter":"50ms"}', true)
          : post(url, "2"),
      ),
    );
    await deploy(host, receiver, { retry: { retries: 3 } });
    const finished = await run(host);
    expect(ending(finished)).toMatchObject({ attempt: 2, output: 2 });
    const [first] = finished.history.filter((entry) => entry.type === "step.failed");
    expect((first?.retryAt ?? 0) - (first?.at ?? 0)).toBe(50);
    const [one, two] = receiver.received.map(({ headers }) => headers["millrace-callback"]);
    expect(one).not.toBe(two);
  });

  test("is completed once, by whoever has its address, and by nobody after its time", async () => {
    const { host, url } = await serve();
    const receiver = await receiverWith((_, response) => response.writeHead(202).end());
    await deploy(host, receiver, { timeout: "700ms" });
    const running = run(host);
    while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const callback = String(receiver.received[0]?.headers["millrace-callback"]);
    expect(callback.startsWith(`${url}/v1/completions/`)).toBe(true);
    const [claims = ""] = callback.split("/").at(-1)?.split(".") ?? [];
    for (const wrong of [
      `${callback.slice(0, -1)}~`,
      callback.replace(/\.[^.]*$/, ""),
      `${url}/v1/completions/x`,
    ]) {
      const refused = await post(wrong, "1");
      expect([refused.status, await refused.json()]).toMatchObject([
        404,
        { error: { code: "ERR_COMPLETION_UNKNOWN" } },
      ]);
    }
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toEqual({
      run: runId("f", "1"),
      idempotencyKey: `${runId("f", "1")}:a`,
      attempt: 1,
    });
    expect(ending(await running)).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
    expect((await post(callback, "1")).status).toBe(404);
  });

  test.each([
    ["not JSON", "{", true, "ERR_BODY_JSON"],
    ["no type", '{"message":"x"}', false, "ERR_BODY_TYPE"],
    ["no message", "{}", true, "ERR_COMPLETION_INVALID"],
    ["a wrong delay", '{"message":"x","retryAfter":"soon"}', true, "ERR_COMPLETION_INVALID"],
    ["a stray property", '{"message":"x","fatl":true}', true, "ERR_COMPLETION_INVALID"],
  ])("goes on waiting after a call with %s", async (_, body, json, code) => {
    const { host } = await serve();
    let refused: unknown;
    const receiver = await receiverWith(
      accepting(async (url) => {
        refused = await (await post(`${url}/failure`, body, json)).json();
        await post(url, "1");
      }),
    );
    await deploy(host, receiver);
    expect(ending(await run(host))).toMatchObject({ output: 1 });
    expect(refused).toMatchObject({ error: { code } });
  });

  test("may be completed before it is answered, and its receiver answers when it has heard that", async () => {
    const { host } = await serve();
    const { promise: answered, resolve } = Promise.withResolvers<boolean>();
    const receiver = await receiverWith(async ({ headers }, response) => {
      const { status } = await post(String(headers["millrace-callback"]), "1");
      response.on("close", () => resolve(response.writableFinished));
      response.writeHead(status === 200 ? 202 : 500).end();
    });
    await deploy(host, receiver);
    expect(ending(await run(host))).toMatchObject({ output: 1 });
    expect(await answered).toBe(true);
  });

  test("is completed once, however often the same completion comes", async () => {
    const { host } = await serve();
    const answers: number[] = [];
    const receiver = await receiverWith(
      accepting(async (url) => {
        // Who asks again before the answer is there waits for the same one.
        const together = await Promise.all([post(url, '"first"'), post(url, '"second"')]);
        answers.push(...together.map(({ status }) => status), (await post(url, '"third"')).status);
      }),
    );
    await deploy(host, receiver);
    const finished = await run(host);
    const { received } = receiver;
    while (answers.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(answers).toEqual([200, 200, 200]);
    expect(ending(finished)).toMatchObject({ output: expect.stringMatching(/first|second/) });
    expect(finished.history.filter(({ type }) => type === "step.completed")).toHaveLength(1);
    const other = String(received[0]?.headers["millrace-callback"]).replace(/.$/, "~");
    expect((await post(other, "1")).status).toBe(404);
  });

  test("is not acknowledged when its run is cancelled before that is recorded", async () => {
    const { host } = await serve();
    const receiver = await receiverWith((_, response) => response.writeHead(202).end());
    await deploy(host, receiver);
    const running = run(host);
    while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await host.commands.cancel(runId("f", "1"));
    expect((await running).status).toBe("cancelled");
    const callback = String(receiver.received[0]?.headers["millrace-callback"]);
    expect((await post(callback, "1")).status).toBe(404);
  });

  test("is held to its limit of output", async () => {
    const { host } = await serve();
    const receiver = await receiverWith(accepting((url) => post(url, "x".repeat(2_000))));
    await deploy(host, receiver, { limits: { output: "1KiB" } });
    expect(ending(await run(host))).toMatchObject({ failure: { code: "ERR_STEP_OUTPUT_TOO_LARGE" } });
  });

  test("fails on a host that nobody can call, which offers no address either", async () => {
    const { host } = await serve({ callbackUrl: Promise.resolve(undefined) });
    const receiver = await receiverWith((_, response) => response.writeHead(202).end());
    await deploy(host, receiver);
    expect(ending(await run(host))).toMatchObject({ failure: { code: "ERR_HTTP_CALLBACK" } });
    expect(receiver.received[0]?.headers).not.toHaveProperty("millrace-callback");
  });

  test("is asked for again when its host has begun anew, and may be completed at either address", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-completions-"));
    closers.push(() => rm(folder, { recursive: true }));
    const store = `sqlite:${join(folder, "store.db")}`;
    const receiver = await receiverWith((_, response) => response.writeHead(202).end());
    const asked = async (count: number): Promise<string> => {
      while (receiver.received.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
      return String(receiver.received[count - 1]?.headers["millrace-callback"]);
    };
    const { host: first } = await serve({ store });
    await deploy(first, receiver);
    await first.publish([{ name: "e", id: "1" }]);
    const old = await asked(1);
    await first.close();

    const { host: second, url } = await serve({ store });
    const callback = await asked(2);
    const keys = receiver.received.map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(1);
    const token = old.split("/").at(-1);
    expect(callback.endsWith(`/${token}`)).toBe(true);
    expect((await post(`${url}/v1/completions/${token}`, "2")).status).toBe(200);
    expect(ending(await second.finished(runId("f", "1")))).toMatchObject({ attempt: 1, output: 2 });
  });

  test.skipIf(findNatsServer() === undefined)(
    "is not acknowledged while its store does not answer, and is by the same completion again",
    async () => {
      const server = await startNatsServer(findNatsServer() ?? "");
      closers.push(() => server.stop());
      const { host } = await serve({ store: server.url });
      const receiver = await receiverWith((_, response) => response.writeHead(202).end());
      await deploy(host, receiver, { timeout: "10m" });
      await host.publish([{ name: "e", id: "1" }]);
      while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const callback = String(receiver.received[0]?.headers["millrace-callback"]);
      server.pause();
      // All its threads have to stop.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const refused = await post(callback, '"first"').finally(() => server.resume());
      expect([refused.status, await refused.json()]).toMatchObject([
        503,
        { error: { code: "ERR_COMPLETION_UNRECORDED" } },
      ]);
      expect((await post(callback, '"again"')).status).toBe(200);
      expect(ending(await host.finished(runId("f", "1")))).toMatchObject({ attempt: 1, output: "first" });
      expect(receiver.received).toHaveLength(1);
    },
    120_000,
  );

  test.skipIf(findNatsServer() === undefined)("is completed through any host of its store", async () => {
    const server = await startNatsServer(findNatsServer() ?? "");
    closers.push(() => server.stop());
    const { host } = await serve({ store: server.url, name: "holder" });
    const other = await serve({
      store: server.url,
      name: "other",
      runtimes: ["wasm"],
      cacheDir: "/tmp/unused",
    });
    const large: Response[] = [];
    const receiver = await receiverWith(
      accepting(async (url) => {
        const through = url.replace(/^.*\/v1/, `${other.url}/v1`);
        large.push(await post(through, "x".repeat(2_000_000)));
        large.push(await post(through, '"through"'));
      }),
    );
    await deploy(host, receiver);
    expect(ending(await run(host))).toMatchObject({ output: "through" });
    while (large.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(large.map(({ status }) => status)).toEqual([413, 200]);
    const callback = String(receiver.received[0]?.headers["millrace-callback"]);
    expect((await post(callback.replace(/^.*\/v1/, `${other.url}/v1`), '"again"')).status).toBe(200);
    const gone = Buffer.from(JSON.stringify({ host: "gone", run: "r" })).toString("base64url");
    expect((await post(`${other.url}/v1/completions/${gone}.x`, "1")).status).toBe(404);
  });
});

describe("a token", () => {
  const ctx = { runId: "r", idempotencyKey: "r:a", attempt: 1 } as StepContext;
  const key = async (): Promise<Uint8Array> => Buffer.from("of this store");
  const tokenOf = async (completions: HeldCompletions): Promise<string> =>
    (await completions.open(ctx))?.url.split("/").at(-1) ?? "";

  test("is one that a host of this store signed, the same for the same attempt", async () => {
    const completions = createCompletions("https://m.example/base/", key);
    const open = await completions.open(ctx);
    expect(open?.url.startsWith("https://m.example/base/v1/completions/")).toBe(true);
    const token = open?.url.split("/").at(-1) ?? "";
    expect(await completions.read(token)).toEqual({ run: "r", idempotencyKey: "r:a", attempt: 1 });
    expect(await tokenOf(createCompletions("https://other.example", key))).toBe(token);
    const forged = await tokenOf(createCompletions("https://m.example", async () => Buffer.from("another")));
    expect(await completions.read(forged)).toBeUndefined();
    expect(completions.complete(token, { ok: true, body: "" })).toBe(true);
    expect(completions.complete(token, { ok: true, body: "" })).toBe(false);
  });

  test("outlives an attempt that was begun anew before the first one was let go", async () => {
    const completions = createCompletions("https://m.example", key);
    const first = await completions.open(ctx);
    const second = await completions.open(ctx);
    first?.close();
    const token = second?.url.split("/").at(-1) ?? "";
    expect(completions.complete(token, { ok: true, body: "" })).toBe(true);
    expect(await second?.completed).toEqual({ ok: true, body: "" });
  });

  test.each(["", ".", "x", "e30", "bnVsbA", "W10.x"])("is not %j", async (text) => {
    const completions = createCompletions("u", key);
    expect(await completions.read(text)).toBeUndefined();
    expect(completions.complete(text, { ok: true, body: "" })).toBe(false);
  });
});
