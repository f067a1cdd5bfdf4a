import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTo, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import type { NatsOptions } from "../../../host/nats/options.ts";
import { openSession, type NatsSession } from "../../../host/nats/session.ts";
import { findNatsServer } from "./find-server.ts";
import { freePort } from "../../free-port.ts";
import { startNatsServer, type NatsServer } from "./server.ts";

const program = findNatsServer();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function open(url: string, options: NatsOptions = {}): Promise<NatsSession> {
  const session = await openSession(url, { ...options, clock: systemClock, name: "h1" });
  cleanups.push(() => session.close());
  return session;
}

async function refusal(url: string, options: NatsOptions = {}): Promise<unknown> {
  return open(url, options).catch((error: unknown) => error);
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "millrace-session-"));
  cleanups.push(() => rm(made, { recursive: true }));
  return made;
}

/** A server with these lines in its configuration. */
async function serve(configuration = "", jetstream = true): Promise<NatsServer> {
  const file = join(await folder(), "nats-server.conf");
  await writeFile(file, configuration);
  const server = await startNatsServer(program ?? "", { args: ["--config", file], jetstream });
  cleanups.push(() => server.stop());
  return server;
}

/** A server between, which says that the other one has this version. */
async function withVersion(server: NatsServer, version: string): Promise<string> {
  const between = createServer((client) => {
    const upstream = connectTo(server.port, "127.0.0.1");
    upstream.on("data", (sent: Buffer) => {
      client.write(sent.toString("latin1").replace(/"version":"[^"]+"/, `"version":"${version}"`), "latin1");
    });
    client.pipe(upstream);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
  }).listen(0, "127.0.0.1");
  await once(between, "listening");
  cleanups.push(() => between.close());
  return `nats://127.0.0.1:${(between.address() as AddressInfo).port}`;
}

describe.skipIf(program === undefined)("a session", () => {
  test("refuses a server that is too old, and takes the oldest that will do", async () => {
    const server = await serve();
    expect(await refusal(await withVersion(server, "2.11.9"))).toMatchObject({
      code: "ERR_STORE_OLD",
      message: expect.stringContaining("2.11.9") as unknown,
    });
    await open(await withVersion(server, "2.12.0-RC.1"));
  });

  test("refuses a server without JetStream", async () => {
    const server = await serve("", false);
    expect(await refusal(server.url)).toMatchObject({ code: "ERR_STORE_OLD" });
  });

  test("says so when no server answers, and when the URL names none", async () => {
    expect(await refusal(`nats://127.0.0.1:${await freePort()}`)).toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
    });
    expect(await refusal("nats://")).toMatchObject({ code: "ERR_STORE_URL" });
    expect(await refusal("nats://a", { prefix: "a.b" })).toMatchObject({ code: "ERR_STORE_URL" });
  });

  test("authenticates by user and password, in options or the URL", async () => {
    const server = await serve('authorization { user: ada, password: "s p" }');
    expect(await refusal(server.url)).toMatchObject({ code: "ERR_STORE_DENIED" });
    expect(await refusal(server.url, { user: "ada", password: "wrong" })).toMatchObject({
      code: "ERR_STORE_DENIED",
    });
    await open(server.url, { user: "ada", password: "s p" });
    await open(server.url.replace("//", "//ada:s%20p@"));
  });

  test("authenticates by a token", async () => {
    const server = await serve("authorization { token: t1 }");
    expect(await refusal(server.url, { token: "t2" })).toMatchObject({ code: "ERR_STORE_DENIED" });
    await open(server.url, { token: "t1" });
  });

  test("authenticates by an nkey, whose seed is read from a file", async () => {
    const user = nkeys.createUser();
    const server = await serve(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    const file = join(await folder(), "user.nk");
    await writeFile(file, `-----BEGIN USER NKEY SEED-----\n${new TextDecoder().decode(user.getSeed())}\n`);
    await open(server.url, { nkey: file });
    expect(await refusal(server.url, { nkey: join(await folder(), "none") })).toMatchObject({
      code: "ERR_STORE_DENIED",
    });
  });

  test("speaks TLS, with a certificate authority of its own", async () => {
    const at = await folder();
    const [key, cert] = [join(at, "key.pem"), join(at, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        key,
        "-out",
        cert,
        ...subject,
      ],
      { stdio: "ignore" },
    );
    const server = await serve(
      `tls { cert_file: ${JSON.stringify(cert)}, key_file: ${JSON.stringify(key)} }`,
    );
    await open(server.url, { tls: { ca: cert } });
    await open(server.url.replace("nats:", "tls:"), { tls: { ca: cert } });
    expect(await refusal(server.url)).toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });

  test("changes of a layout only what it was told to", async () => {
    const server = await serve();
    const first = await open(server.url, {
      keepEventsMs: 3_600_000,
      maxEventBytes: 1_000_000,
      leaseMs: 5_000,
    });
    const events = async (session: NatsSession) =>
      (await session.manager.streams.info(session.names.events.stream)).config;
    const made = await events(first);
    expect(made).toMatchObject({ max_age: 3_600_000 * 1e6, max_bytes: 1_000_000 });
    const second = await open(server.url);
    expect(await events(second)).toEqual(made);
    const third = await open(server.url, { keepEventsMs: 7_200_000 });
    expect(await events(third)).toMatchObject({ max_age: 7_200_000 * 1e6, max_bytes: 1_000_000 });
  });

  test("refuses a layout of a newer version", async () => {
    const server = await serve();
    const { manager, names } = await open(server.url);
    await manager.streams.update(names.runs.stream, { metadata: { "millrace-layout": "99" } });
    expect(await refusal(server.url)).toMatchObject({ code: "ERR_STORE_NEWER" });
  });
});
