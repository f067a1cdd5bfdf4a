import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHttpDriver, type HttpDriverOptions } from "../../../runtime/http/http.ts";
import type { Attempt, AttemptResult, Driver, StepProgram } from "../../../runtime/driver.ts";
import { defaultLimits, type Limits } from "../../../runtime/limits.ts";
import { freePort } from "../../free-port.ts";
import { type Answer, httpProgram, type Receiver, startReceiver } from "./receiver.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
const ca = fixture("cert.pem");
const key = fixture("key.pem");

function driverWith(options: HttpDriverOptions = {}): Driver {
  const driver = createHttpDriver(options);
  closers.push(() => driver.close());
  return driver;
}

async function receiverWith(answer: Answer): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  closers.push(() => receiver.close());
  return receiver;
}

const input: Attempt["input"] = {
  event: { id: "e", name: "a/b", data: { text: "Grüße 👋" }, ts: 1 },
  steps: {},
  ctx: {
    runId: "run-1",
    functionId: "f",
    functionVersion: "0123456789ab",
    stepId: "notify",
    attempt: 2,
    deadline: 1,
    idempotencyKey: "run-1:notify",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  },
};

function run(driver: Driver, program: StepProgram, limits: Partial<Limits> = {}): Promise<AttemptResult> {
  return driver.execute({ program, input, limits: { ...defaultLimits, ...limits } });
}

/** What comes of one answer. */
async function resultOf(answer: Answer, limits?: Partial<Limits>): Promise<AttemptResult> {
  const receiver = await receiverWith(answer);
  return run(driverWith(), receiver.program("/step"), limits);
}

describe("a request", () => {
  test("says what it is, and for which attempts of which step it is the same", async () => {
    const receiver = await receiverWith((_, response) => response.end());
    await run(driverWith(), receiver.program("/step?x=1"));
    const { path, headers, body } = receiver.received[0]!;
    expect([path, JSON.parse(body)]).toEqual(["/step?x=1", input]);
    expect(headers).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "idempotency-key": "run-1:notify",
      "webhook-id": "run-1:notify",
      "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
      traceparent: input.ctx.traceparent,
    });
    expect(headers).not.toHaveProperty("webhook-signature");
  });

  test.each([
    ["any text", "correct horse battery staple", Buffer.from("correct horse battery staple")],
    [
      "whsec_ and base64",
      `whsec_${createHash("sha256").update("k").digest("base64")}`,
      createHash("sha256").update("k").digest(),
    ],
  ])("is signed with the step's secret: %s", async (_, secret, hmacKey) => {
    const receiver = await receiverWith((_request, response) => response.end());
    const driver = driverWith({ secrets: new Map([["NOTIFY_KEY", secret]]) });
    expect(await run(driver, receiver.program("/", { secret: "NOTIFY_KEY" }))).toMatchObject({ ok: true });
    const { headers, body } = receiver.received[0]!;
    const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
    const expected = createHmac("sha256", hmacKey).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(JSON.stringify(receiver.received)).not.toContain(secret);
  });

  test("has the headers of its document, with secrets in them, and its own ones as ever", async () => {
    const receiver = await receiverWith((_, response) => response.end());
    const driver = driverWith({ secrets: new Map([["TOKEN", "s3cret-token"]]) });
    const headers = {
      Authorization: { secret: "TOKEN", prefix: "Bearer " },
      "X-Api-Key": { secret: "TOKEN" },
      "X-Tenant": "Grüße",
      "User-Agent": "shop/1",
    };
    expect(await run(driver, receiver.program("/", { headers }))).toMatchObject({ ok: true });
    expect(receiver.received[0]?.headers).toMatchObject({
      authorization: "Bearer s3cret-token",
      "x-api-key": "s3cret-token",
      "x-tenant": "Grüße",
      "user-agent": "shop/1",
      "content-type": "application/json",
    });
  });

  test("is not sent where a secret can't be in a header", async () => {
    const receiver = await receiverWith((_, response) => response.end());
    const driver = driverWith({ secrets: new Map([["TOKEN", "s3cret\n-token"]]) });
    const headers = { authorization: { secret: "TOKEN" } };
    const result = await run(driver, receiver.program("/", { headers }));
    expect(result).toMatchObject({ failure: { code: "ERR_HTTP_HEADER", retry: false } });
    expect(JSON.stringify(result)).not.toContain("s3cret");
    expect(receiver.received).toEqual([]);
  });

  test("is not sent where the operator gave no value for its secret", async () => {
    const receiver = await receiverWith((_, response) => response.end());
    const { runtime, capabilities } = receiver.program("/", { secret: "NONE" });
    const program = { runtime, capabilities: { ...capabilities, secrets: { NONE: {} } } };
    const driver = driverWith();
    expect(await driver.prepare(program, defaultLimits)).toMatchObject({ code: "ERR_STEP_SECRET_MISSING" });
    expect(await run(driver, program)).toMatchObject({ failure: { code: "ERR_STEP_SECRET_MISSING" } });
    expect(receiver.received).toEqual([]);
  });

  test("goes over a connection of one before", async () => {
    const receiver = await receiverWith((_, response) => response.end("1"));
    const driver = driverWith();
    for (let count = 0; count < 10; count += 1) await run(driver, receiver.program("/"));
    // One may begin before the client has put the connection of the one before back.
    expect(new Set(receiver.received.map(({ connection }) => connection)).size).toBeLessThan(3);
  });

  test("goes over HTTP/2 where the receiver speaks it, all that are under way over one connection", async () => {
    const sessions = new Set<object>();
    const secure = createSecureServer({ cert: ca, key, allowHTTP1: true });
    secure.on("session", (session) => sessions.add(session));
    const versions: string[] = [];
    secure.on("request", (request, response) => {
      versions.push(request.httpVersion);
      request.resume().on("end", () => setTimeout(() => response.end('{"ok":true}'), 50));
    });
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    closers.push(async () => {
      for (const session of sessions) (session as { destroy(): void }).destroy();
      secure.close();
    });
    const { port } = secure.address() as AddressInfo;
    const driver = driverWith({ services: { ca } });
    const program = httpProgram(`https://localhost:${port}/step`);
    const first = await run(driver, program);
    expect(first).toEqual({ ok: true, output: { ok: true }, logs: [] });
    const more = await Promise.all(Array.from({ length: 5 }, () => run(driver, program)));
    expect(more.every(({ ok }) => ok)).toBe(true);
    expect(new Set(versions)).toEqual(new Set(["2.0"]));
    expect(sessions.size).toBe(1);
  });
});

describe("an answer", () => {
  test.each([
    [200, "ok", true, undefined],
    [201, "1", true, undefined],
    [204, "", true, undefined],
    [400, "", false, "ERR_STEP_FATAL"],
    [401, "", false, "ERR_STEP_FATAL"],
    [404, "", false, "ERR_STEP_FATAL"],
    [408, "", false, "ERR_STEP_FAILED"],
    [409, "", false, "ERR_STEP_FATAL"],
    [422, "", false, "ERR_STEP_FATAL"],
    [425, "", false, "ERR_STEP_FAILED"],
    [429, "", false, "ERR_STEP_FAILED"],
    [500, "", false, "ERR_STEP_FAILED"],
    [503, "", false, "ERR_STEP_FAILED"],
    [599, "", false, "ERR_STEP_FAILED"],
    [301, "", false, "ERR_HTTP_REDIRECT"],
    [304, "", false, "ERR_HTTP_REDIRECT"],
    [307, "", false, "ERR_HTTP_REDIRECT"],
  ])("of %i", async (status, body, ok, code) => {
    const result = await resultOf((_, response) => response.writeHead(status).end(body));
    expect([result.ok, result.ok ? undefined : result.failure.code]).toEqual([ok, code]);
    if (!result.ok) expect(result.failure.retry).toBe(code === "ERR_STEP_FAILED");
  });

  test("is in the failure's message, its beginning if it is long", async () => {
    const result = await resultOf((_, response) => response.writeHead(422).end(" no such user \n"));
    expect(result).toMatchObject({
      failure: { message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ answered 422: no such user$/) },
    });
    const long = await resultOf((_, response) => response.writeHead(500).end("x".repeat(10_000_000)));
    expect(long).toMatchObject({ failure: { message: expect.stringMatching(/ answered 500: x{2048}…$/) } });
  });

  test.each([
    [503, "120", 120_000, 120_000],
    [429, "0", 0, 0],
    [500, "7", 7_000, 7_000],
    [503, "999999999", 86_400_000, 86_400_000],
    [503, new Date(Date.now() + 60_000).toUTCString(), 50_000, 60_000],
    [503, new Date(0).toUTCString(), 0, 0],
    [503, "soon", undefined, undefined],
  ])("of %i with Retry-After: %s says when to come back", async (status, value, least, most) => {
    const result = await resultOf((_, response) =>
      response.writeHead(status, { "retry-after": value }).end(),
    );
    if (result.ok) throw new Error("it is a failure");
    const { retryAfterMs } = result.failure;
    if (least === undefined) return expect(retryAfterMs).toBeUndefined();
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    return expect(retryAfterMs).toBeLessThanOrEqual(most ?? 0);
  });

  test("that leads elsewhere is not followed", async () => {
    const other = await receiverWith((_, response) => response.end("1"));
    const location = `http://127.0.0.1:${other.port}/`;
    const result = await resultOf((_, response) => response.writeHead(308, { location }).end());
    expect(result).toMatchObject({
      failure: {
        code: "ERR_HTTP_REDIRECT",
        message: expect.stringContaining(`308, a redirect to ${location}`),
      },
    });
    expect(other.received).toEqual([]);
  });

  test("that is compressed is none, since nobody asked for it", async () => {
    const result = await resultOf((_, response) =>
      response.writeHead(200, { "content-encoding": "br" }).end("x"),
    );
    expect(result).toMatchObject({
      failure: { code: "ERR_HTTP_ANSWER", message: expect.stringContaining("br") },
    });
  });

  test("that breaks off fails the attempt, and is no shorter output", async () => {
    const result = await resultOf((_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setTimeout(() => response.destroy(), 50);
    });
    expect(result).toMatchObject({ ok: false, failure: { code: "ERR_HTTP_UNREACHABLE", retry: true } });
  });

  test("that never ends ends with the attempt's time", async () => {
    const result = await resultOf((_, response) => response.writeHead(200).write("1"), { wallMs: 300 });
    expect(result).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
  });
});

describe("a receiver that can't be used is told:", () => {
  /** Says this to whoever connects. */
  async function saying(text: string): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(text));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  test("nobody listens", async () => {
    const program = httpProgram(`http://127.0.0.1:${await freePort()}/`);
    expect(await run(driverWith(), program)).toMatchObject({
      failure: {
        code: "ERR_HTTP_UNREACHABLE",
        retry: true,
        message: expect.stringContaining("ECONNREFUSED"),
      },
    });
  });

  test("no such name", async () => {
    const resolve = () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
    const driver = driverWith({ services: { resolve } });
    expect(await run(driver, httpProgram("https://nowhere.example/"))).toMatchObject({
      failure: {
        code: "ERR_HTTP_UNREACHABLE",
        message: expect.stringContaining("https://nowhere.example could not be called"),
      },
    });
  });

  test.each([
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\ncontent-le"],
  ])("it says %s", async (_, text) => {
    const program = httpProgram(`http://127.0.0.1:${await saying(text)}/`);
    expect(await run(driverWith(), program)).toMatchObject({ failure: { code: "ERR_HTTP_UNREACHABLE" } });
  });

  test.each([
    ["what is no HTTP", "SSH-2.0-OpenSSH_9\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`],
  ])("it says %s", async (_, text) => {
    const program = httpProgram(`http://127.0.0.1:${await saying(text)}/`);
    expect(await run(driverWith(), program)).toMatchObject({ failure: { code: "ERR_HTTP_ANSWER" } });
  });

  test("its certificate is signed by nobody known, or for another name; it speaks no TLS", async () => {
    const { createServer } = await import("node:https");
    const server = createServer({ cert: ca, key }, (_, response) => response.end("1"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const failure = { code: "ERR_HTTP_TLS", retry: true };
    expect(await run(driverWith(), httpProgram(`https://localhost:${port}/`))).toMatchObject({ failure });
    const services = { ca, resolve: () => Promise.resolve(["127.0.0.1"]) };
    const driver = driverWith({ services });
    expect(await run(driver, httpProgram(`https://other.example:${port}/`))).toMatchObject({ failure });
    expect(await run(driver, httpProgram(`https://localhost:${port}/`))).toMatchObject({ ok: true });
    const plain = await receiverWith((_, response) => response.end());
    expect(await run(driver, httpProgram(`https://localhost:${plain.port}/`))).toMatchObject({ failure });
  });

  test("its address is private, and the step was not granted that", async () => {
    const receiver = await receiverWith((_, response) => response.end());
    const { runtime, capabilities } = receiver.program("/");
    const http = capabilities?.http?.map((grant) => ({ ...grant, private: false })) ?? [];
    const failure = { code: "ERR_HTTP_URL", retry: false, message: expect.stringContaining("private") };
    expect(await run(driverWith(), { runtime, capabilities: { http } })).toMatchObject({ failure });
    const named = { ...http[0]!, host: "rebound.example" };
    const url = `http://rebound.example:${receiver.port}/`;
    const services = { resolve: () => Promise.resolve(["127.0.0.1"]) };
    const program = { runtime: { type: "http", url } as const, capabilities: { http: [named] } };
    expect(await run(driverWith({ services }), program)).toMatchObject({ failure });
    expect(receiver.received).toEqual([]);
  });

  test.each([
    [{}, "`url` is no URL"],
    [{ url: "ftp://a.example/" }, "`url` is neither https: nor http:"],
    [{ url: "https://me:pw@a.example/" }, "`url` has a name or a password in it"],
    [{ url: "https://a.example/", secret: 1 }, "`secret` is no secret's name"],
    [{ url: "https://a.example/", headers: [] }, "`headers` are not an object"],
    [{ url: "https://a.example/", headers: { host: "b" } }, 'the header "host" belongs to the connection'],
    [{ url: "https://a.example/", headers: { "webhook-id": "b" } }, "is set by Millrace itself"],
    [{ url: "https://a.example/", headers: { a: 1 } }, 'the header "a" is neither'],
    [{ url: "https://a.example/" }, "not granted https://a.example"],
  ])("the document says %j", async (options, message) => {
    const program = { runtime: { type: "http", ...options } } as StepProgram;
    expect(await run(driverWith(), program)).toMatchObject({
      failure: { code: "ERR_HTTP_URL", retry: false, message: expect.stringContaining(message) },
    });
  });
});
