import { rm } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findNatsServer } from "../nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../nats/server.ts";
import { millrace, startMillrace, type Running } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

const program = findNatsServer();
const patience = { timeout: 30_000, interval: 100 };

describe.skipIf(program === undefined)("on a NATS server", () => {
  let server: NatsServer;
  let client: NatsConnection;
  let count = 0;
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
    client = await connect({ servers: server.url });
  });
  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  /** The flags of an installation of its own. */
  function installation(): { readonly prefix: string; readonly flags: readonly string[] } {
    const prefix = `cli${(count += 1)}`;
    return { prefix, flags: ["--broker", server.url, "--prefix", prefix] };
  }

  async function start(cwd: string, ...more: string[]): Promise<{ running: Running; url: string }> {
    const running = startMillrace(["start", "--port", "0", "--lease", "2s", ...more], { cwd });
    const [, url = ""] = await running.until(/ready in .+ at (http:\S+)/);
    return { running, url };
  }

  const get = async (url: string, path: string) => (await fetch(`${url}${path}`)).json();
  const json = async (cwd: string, ...args: string[]) => {
    const { code, stdout } = await millrace([...args, "--json"], { cwd });
    return { code, answer: JSON.parse(stdout) as Record<string, any> };
  };
  const shop = functionFiles({ id: "shop", event: "order/placed", steps: { only: { stdout: '"done"' } } });

  test("a push into the store, or to one host, is taken up by every running host", async () => {
    const { flags } = installation();
    const cwd = await writeProject(shop);
    const hosts = [await start(cwd, ...flags, "--name", "a"), await start(cwd, ...flags, "--name", "b")];
    expect(await json(cwd, "push", ...flags)).toMatchObject({ code: 0, answer: { uploaded: 1 } });
    for (const { url } of hosts)
      await expect
        .poll(() => get(url, "/v1/functions"), patience)
        .toMatchObject({ functions: [{ id: "shop" }] });
    expect(await get(hosts[1]!.url, "/v1/host")).toMatchObject({ name: "b", store: "nats" });
    const viaHost = await json(cwd, "push", "--url", hosts[0]!.url);
    expect(viaHost.answer).toMatchObject({ uploaded: 0, functions: [{ changed: false }] });
    await millrace(["send", "order/placed", "--url", hosts[0]!.url]);
    await expect
      .poll(() => get(hosts[1]!.url, "/v1/runs"), patience)
      .toMatchObject({ runs: [{ status: "completed" }] });
    for (const { running } of hosts) expect(await running.stop()).toBe(0);
  });

  test("a host that is stopped hands its runs to another one", async () => {
    const { flags } = installation();
    const endless = functionFiles({ id: "endless", event: "order/placed", steps: { only: { loops: true } } });
    const cwd = await writeProject(endless);
    const first = await start(cwd, ...flags, "--name", "first", "--grace", "100ms");
    await json(cwd, "push", "--url", first.url);
    await millrace(["send", "order/placed", "--url", first.url]);
    await expect
      .poll(() => get(first.url, "/v1/runs"), patience)
      .toMatchObject({ runs: [{ status: "running", host: "first" }] });
    const second = await start(cwd, ...flags, "--name", "second", "--grace", "100ms");
    expect(await first.running.stop()).toBe(0);
    await expect
      .poll(() => get(second.url, "/v1/runs"), patience)
      .toMatchObject({ runs: [{ status: "running", host: "second" }] });
    expect(await second.running.stop()).toBe(0);
  });

  test("dead letters are listed, shown, resubmitted and discarded", async () => {
    const { prefix, flags } = installation();
    const cwd = await writeProject(shop);
    const { running, url } = await start(cwd, ...flags);
    for (const payload of ["not json", "[1]"])
      await client.request(`${prefix}.events.order.placed`, payload, { timeout: 10_000 });
    const at = ["--url", url];
    await expect.poll(() => get(url, "/v1/host"), patience).toMatchObject({ deadLetters: 2 });
    const { answer } = await json(cwd, "dead-letters", "ls", ...at);
    const seqs = (answer["deadLetters"] as { seq: number }[]).map(({ seq }) => String(seq));
    expect(answer).toMatchObject({
      deadLetters: [{ payload: "not json", subject: `${prefix}.events.order.placed` }, { payload: "[1]" }],
    });
    const shown = await millrace(["dead-letters", "show", seqs[0]!, ...at]);
    expect(shown.stdout).toMatch(/^why {6}ERR_\w+: /m);
    expect(shown.stdout).toContain("payload  not json");
    const listed = await millrace(["dead-letters", "ls", ...at]);
    expect(listed.stdout).toMatch(/^SEQ +FOUND +SUBJECT +WHY +PAYLOAD\n/);

    const discarded = await json(cwd, "dead-letters", "discard", seqs[1]!, ...at);
    expect(discarded).toEqual({ code: 0, answer: { discarded: [Number(seqs[1])] } });
    expect((await json(cwd, "dead-letters", "discard", seqs[1]!, ...at)).answer).toMatchObject({
      error: { code: "ERR_DEAD_LETTER_UNKNOWN" },
    });
    // As it is it becomes a dead letter once more, of another number.
    expect(await json(cwd, "dead-letters", "resubmit", seqs[0]!, ...at)).toMatchObject({ code: 0 });
    await expect
      .poll(() => get(url, "/v1/dead-letters"), patience)
      .toMatchObject({ total: 1, deadLetters: [{ payload: "not json" }] });
    const [again] = ((await get(url, "/v1/dead-letters")) as { deadLetters: { seq: number }[] }).deadLetters;
    expect(String(again?.seq)).not.toBe(seqs[0]);
    expect(await running.stop()).toBe(0);
  });

  test("`dev` on a shared store leaves the functions and schemas of others, and takes back its own", async () => {
    const { flags } = installation();
    const other = {
      ...functionFiles({ id: "other", steps: { only: {} } }),
      "events/other/event.json": { type: "object" },
    };
    await json(await writeProject(other), "push", ...flags);
    const cwd = await writeProject({ ...shop, "events/order/placed.json": { type: "object" } });
    const running = startMillrace(["dev", "--port", "0", ...flags], { cwd });
    const [, url = ""] = await running.until(/^ready in .+ at (http:\S+)/m);
    const schemas = async () => Object.keys(((await get(url, "/v1/schemas")) as any).schemas).toSorted();
    const functions = async () =>
      ((await get(url, "/v1/functions")) as any).functions.map(({ id }: any) => id).toSorted();
    expect(await schemas()).toEqual(["order/placed", "other/event"]);
    expect(await functions()).toEqual(["other", "shop"]);
    await rm(join(cwd, "events"), { recursive: true });
    await expect.poll(schemas, patience).toEqual(["other/event"]);
    expect(await functions()).toEqual(["other", "shop"]);
    expect(await running.stop()).toBe(0);
  });

  /** `doctor` also builds a step and compiles it: so a test calls it twice at most, and has time for it. */
  const doctorMs = 240_000;
  const doctor = async (cwd: string, ...flags: string[]) => {
    const { code, answer } = await json(cwd, "doctor", ...flags);
    const checks = answer["checks"] as { name: string }[];
    return { code, find: (name: string) => checks.find((check) => check.name === name) };
  };

  test(
    "`doctor` says of a server what it is",
    async () => {
      const { flags } = installation();
      const cwd = await writeProject(shop);
      const before = await doctor(cwd, ...flags);
      expect(before.find("server")).toMatchObject({
        status: "ok",
        detail: expect.stringMatching(/^nats-server 2\./),
      });
      expect(before.find("durable")).toMatchObject({ status: "ok" });
      await json(cwd, "push", ...flags);
      expect((await doctor(cwd, ...flags)).find("durable")).toMatchObject({
        status: "warning",
        next: expect.stringContaining("sync_interval"),
      });
    },
    doctorMs,
  );

  test(
    "`doctor` says what to do where a server won't do, or is not there",
    async () => {
      const cwd = await writeProject(shop);
      const plain = await startNatsServer(program ?? "", { jetstream: false });
      try {
        const off = await doctor(cwd, "--broker", plain.url);
        expect(off.code).toBe(1);
        expect(off.find("streams")).toMatchObject({
          status: "failed",
          next: expect.stringContaining("--jetstream"),
        });
      } finally {
        await plain.stop();
      }
      const gone = await doctor(cwd, "--broker", plain.url);
      expect([gone.code, gone.find("broker")]).toMatchObject([
        1,
        { status: "failed", detail: expect.stringContaining("ERR_STORE_UNAVAILABLE") },
      ]);
    },
    doctorMs,
  );
});
