import { once } from "node:events";
import { Agent, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { http2Client, rawExchange, rawPost, serve, tls, type Served } from "./api-fixture.ts";

let served: Served;
afterEach(() => served.close());

const event = JSON.stringify({ name: "a/b" });
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** So many events of about a kilobyte. */
const many = (count: number) =>
  JSON.stringify(Array.from({ length: count }, () => ({ name: "a/b", data: { text: "x".repeat(1_000) } })));
/** A SETTINGS frame without settings. */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

describe("one port without TLS", () => {
  test("speaks HTTP/1.1 and HTTP/2 with prior knowledge", async () => {
    served = await serve();
    expect((await served.send(event)).status).toBe(200);
    const client = http2Client(served.url);
    const { status, headers, text } = await client.request({}, event);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ ids: [expect.any(String)], status: 200 });
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.any(String),
    });
    expect((await client.request({ ":path": "/healthz" })).text).toBe('{"status":"alive"}');
    await client.close();
  });

  test("tells the protocol from a preface that comes byte by byte", async () => {
    served = await serve();
    const socket = connect(served.port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    for (const char of preface) {
      socket.write(char);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(settings);
    const [answer] = (await once(socket, "data")) as [Buffer];
    // The server's own SETTINGS frame is the first that it sends.
    expect(answer[3]).toBe(4);
    socket.destroy();
  });

  test("tells the protocol from a request that comes byte by byte, and begins like the preface", async () => {
    served = await serve();
    for (const start of ["POST", "PUT", "PRI"]) {
      const socket = connect(served.port, "127.0.0.1");
      socket.setEncoding("latin1").setNoDelay(true);
      let received = "";
      socket.on("data", (chunk: string) => (received += chunk)).on("error", () => {});
      const closed = new Promise((resolve) => socket.once("close", resolve));
      await once(socket, "connect");
      const text = rawPost(event, ["connection: close"]).replace(/^POST/, start);
      for (const char of text) {
        if (!socket.writable) break;
        socket.write(char);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await closed;
      expect(received).toMatch(start === "POST" ? /^HTTP\/1\.1 200/ : /^HTTP\/1\.1 4/);
    }
  });

  test("serves a preface and the first frames in one packet", async () => {
    served = await serve();
    const socket = connect(served.port, "127.0.0.1");
    socket.write(Buffer.concat([Buffer.from(preface), settings]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer[3]).toBe(4);
    socket.destroy();
  });

  test("closes a connection whose preface breaks off", async () => {
    served = await serve();
    const socket = connect(served.port, "127.0.0.1", () => socket.end(preface.slice(0, 10)));
    await once(socket.resume(), "close");
    expect((await served.send(event)).status).toBe(200);
  });

  test("closes connections that send nothing, or not all of a request", async () => {
    served = await serve({ timeouts: { headersMs: 200, requestMs: 400 } });
    expect(await rawExchange(served.port, "")).toBe("");
    expect(await rawExchange(served.port, "PRI * HT")).toBe("");
    expect(await rawExchange(served.port, "POST /e/test HTTP/1.1\r\nhost: localhost\r\n")).toMatch(
      /^HTTP\/1\.1 408/,
    );
    expect(await rawExchange(served.port, rawPost(event).slice(0, -3))).toMatch(
      /^HTTP\/1\.1 408.*ERR_REQUEST_TIMEOUT/s,
    );
    expect((await served.send(event)).status).toBe(200);
  });

  test("ends an HTTP/2 request whose body never ends, and its session goes on", async () => {
    served = await serve({ timeouts: { requestMs: 300 } });
    const client = http2Client(served.url);
    const stream = client.session.request({
      ":method": "POST",
      ":path": "/e/test",
      "content-type": "application/json",
    });
    stream.on("error", () => {});
    stream.write("{");
    await once(stream, "close");
    expect(stream.rstCode).not.toBe(0);
    expect((await client.request({}, event)).status).toBe(200);
    await client.close();
  });

  test("closes a connection whose client does not read its answers", async () => {
    served = await serve({ timeouts: { idleMs: 200, requestMs: 200 } });
    await served.send(many(3_000));
    const socket = connect(served.port, "127.0.0.1").pause();
    socket.on("error", () => {});
    // More than the buffers of both kernels hold.
    for (let count = 0; count < 100; count += 1) {
      socket.write("GET /v1/events?limit=200 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    }
    const cut = (): boolean => {
      socket.write("\r\n");
      return socket.destroyed;
    };
    // What is written counts as activity, so it must be rarer than the time that is waited for.
    await expect.poll(cut, { interval: 1_000, timeout: 20_000 }).toBe(true);
    expect((await served.send(event)).status).toBe(200);
  });

  test("closes an HTTP/2 session that is idle", async () => {
    served = await serve({ timeouts: { idleMs: 200 } });
    const client = http2Client(served.url);
    expect((await client.request({}, event)).status).toBe(200);
    await once(client.session, "close");
  });

  test("answers pipelined requests in their order", async () => {
    served = await serve();
    const ids = ["one", "two", "three"];
    const requests = ids.map((id, index) =>
      rawPost(JSON.stringify({ name: "a/b", id }), index === 2 ? ["connection: close"] : []),
    );
    const received = await rawExchange(served.port, requests.join(""));
    expect([...received.matchAll(/"ids":\["(\w+)"\]/g)].map((match) => match[1])).toEqual(ids);
  });

  test("keeps a connection of HTTP/1.1 for the next request", async () => {
    served = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let round = 0; round < 5; round += 1) {
      const request = requestHttp(`${served.url}/healthz`, { agent });
      request.end();
      const [response] = await once(request, "response");
      ports.add(response.socket.localPort);
      await once(response.resume(), "end");
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  test("takes a large body over HTTP/2, and refuses a larger one", async () => {
    served = await serve({ bodyBytes: 3_000_000 });
    const client = http2Client(served.url);
    expect((await client.request({}, many(2_800))).status).toBe(200);
    const refused = await client.request({}, many(3_000));
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.text).error.code).toBe("ERR_BODY_TOO_LARGE");
    expect((await client.request({}, event)).status).toBe(200);
    await client.close();
  });
});

describe("a body that is too large, and of unknown length", () => {
  const chunk = Buffer.alloc(64 * 1024, " ");
  const chunks = 300;

  test("is answered to a client of HTTP/1.1 that reads only once it has written all", async () => {
    served = await serve({ bodyBytes: 1_000 });
    const socket = connect(served.port, "127.0.0.1").pause();
    socket.write(rawPost("", ["transfer-encoding: chunked"]).replace(/content-length: 0\r\n/, ""));
    for (let count = 0; count < chunks; count += 1) {
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      if (!socket.write("\r\n")) await once(socket, "drain");
    }
    socket.write("0\r\n\r\n");
    const [answer] = (await once(socket.resume(), "data")) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413/);
    socket.destroy();
  });

  test("is answered to a client of HTTP/2, whose other requests go on", async () => {
    served = await serve({ bodyBytes: 1_000 });
    const client = http2Client(served.url);
    const stream = client.session.request({
      ":method": "POST",
      ":path": "/e/test",
      "content-type": "application/json",
    });
    stream.on("error", () => {});
    let answered = false;
    const response = once(stream, "response").finally(() => (answered = true));
    for (let count = 0; count < chunks && !answered; count += 1) {
      if (!stream.write(chunk)) await Promise.race([once(stream, "drain"), response]);
    }
    const [headers] = await response;
    expect(headers[":status"]).toBe(413);
    expect((await client.request({}, event)).status).toBe(200);
    stream.destroy();
    await client.close();
  });
});

describe("one port with TLS", () => {
  test("speaks the protocol that ALPN agrees on", async () => {
    served = await serve({ tls });
    expect(served.url).toMatch(/^https:/);
    const client = http2Client(served.url);
    expect((await client.request({}, event)).status).toBe(200);
    expect(client.session.alpnProtocol).toBe("h2");
    await client.close();

    const request = requestHttps(`${served.url}/e/test`, {
      method: "POST",
      ca: tls.cert,
      agent: false,
      headers: { "content-type": "application/json" },
    });
    request.end(event);
    const [response] = await once(request, "response");
    expect(response.statusCode).toBe(200);
    expect(response.httpVersion).toBe("1.1");
    await once(response.resume(), "end");
  });

  test("goes on after clients that break off or speak no TLS", async () => {
    served = await serve({ tls, timeouts: { headersMs: 300 } });
    await rawExchange(served.port, rawPost(event));
    await rawExchange(served.port, "");
    const socket = connectTls({ port: served.port, ca: tls.cert, ALPNProtocols: ["h2"] });
    await once(socket, "secureConnect");
    socket.destroy();
    const client = http2Client(served.url);
    expect((await client.request({}, event)).status).toBe(200);
    await client.close();
  });
});

describe("clients that misbehave do not stop the server", () => {
  afterEach(async () => expect((await served.send(event)).status).toBe(200));

  test.each([
    ["no HTTP at all", "hello there\r\n\r\n", 400, "ERR_REQUEST_MALFORMED"],
    ["no Host", "POST /e/test HTTP/1.1\r\ncontent-length: 0\r\n\r\n", 400, undefined],
    [
      "both lengths",
      "POST /e/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "ERR_REQUEST_MALFORMED",
    ],
    [
      "a broken chunk",
      "POST /e/test HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
      "ERR_REQUEST_MALFORMED",
    ],
    [
      "endless headers",
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(100_000)}\r\n\r\n`,
      431,
      "ERR_REQUEST_HEADERS_TOO_LARGE",
    ],
    [
      "a null byte in a header",
      "GET /healthz HTTP/1.1\r\nhost: local\0host\r\n\r\n",
      400,
      "ERR_REQUEST_MALFORMED",
    ],
  ])("%s", async (_what, bytes, status, code) => {
    served = await serve();
    const received = await rawExchange(served.port, bytes);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (code !== undefined) {
      const body = JSON.parse(received.slice(received.indexOf("\r\n\r\n")));
      expect(body).toMatchObject({ status, error: { code, next: expect.any(String) } });
    }
  });

  test("requests half sent and cut off", async () => {
    served = await serve();
    const text = rawPost(event);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = connect(served.port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.write(text.slice(0, index % text.length));
        await new Promise((resolve) => setTimeout(resolve, index % 7));
        if (index % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }),
    );
    expect(await served.host.events.readEvents({ limit: 10 })).toEqual([]);
  });

  test("garbage behind a request whose answer is on its way", async () => {
    let publish: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (publish = resolve));
    const { promise: broken, resolve: breakOff } = Promise.withResolvers<void>();
    served = await serve(
      {},
      {
        change: (host) => ({
          ...host,
          async publish(inputs) {
            publish?.();
            await broken;
            return host.publish(inputs);
          },
        }),
      },
    );
    const socket = connect(served.port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => (received += String(chunk))).on("error", () => {});
    socket.write(rawPost(JSON.stringify({ name: "a/b", id: "first" })));
    await asked;
    socket.write("garbage\r\n\r\n");
    await once(socket, "close");
    breakOff();
    // An answer of 400 would be taken for that to the event, which is stored.
    expect(received).toBe("");
    expect((await served.send(event)).status).toBe(200);
    expect(await served.host.events.readEvent("first")).toBeDefined();
  });

  test("a body shorter than its Content-Length", async () => {
    served = await serve();
    const socket = connect(served.port, "127.0.0.1");
    socket.end(rawPost(event, ["content-length: 500"]));
    await once(socket.resume(), "close");
    expect(await served.host.events.readEvents({ limit: 10 })).toEqual([]);
  });

  test("HTTP/2 requests reset while their body comes, and sessions torn down", async () => {
    served = await serve();
    const client = http2Client(served.url);
    for (let round = 0; round < 50; round += 1) {
      const stream = client.session.request({
        ":method": "POST",
        ":path": "/e/test",
        "content-type": "application/json",
      });
      stream.on("error", () => {});
      stream.write(event.slice(0, 5));
      if (round % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5));
      stream.close(8);
    }
    client.session.destroy();
    const garbage = rawExchange(
      served.port,
      Buffer.concat([Buffer.from(preface), Buffer.alloc(1_000, 0xff)]),
    );
    await garbage;
    expect(await served.host.events.readEvents({ limit: 10 })).toEqual([]);
  });

  test("many requests at once, over both protocols", async () => {
    served = await serve();
    const clients = Array.from({ length: 4 }, () => http2Client(served.url));
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const body = JSON.stringify({ name: "a/b", id: `id-${index}` });
        const answer =
          index % 2 === 0
            ? (await served.send(body)).body
            : JSON.parse((await clients[index % 4]!.request({}, body)).text);
        return answer.ids[0];
      }),
    );
    expect(answers).toEqual(Array.from({ length: 1_000 }, (_, index) => `id-${index}`));
    expect(await served.host.events.readEvents({ limit: 2_000 })).toHaveLength(1_000);
    for (const client of clients) await client.close();
  });
});
