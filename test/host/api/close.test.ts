import { once, type EventEmitter } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { rawPost, serve, tls } from "./api-fixture.ts";

const event = JSON.stringify({ name: "a/b", id: "e1" });

/** Resolves once a connection has closed, however it did. */
function closing(socket: EventEmitter): Promise<unknown> {
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", resolve));
}

/** Serves a host whose publish waits to be let go; `asked` resolves once so many requests wait. */
async function slow(requests: number, options: Parameters<typeof serve>[0] = {}) {
  let waiting = 0;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
  const served = await serve(options, {
    change: (host) => ({
      ...host,
      async publish(inputs) {
        waiting += 1;
        if (waiting === requests) ask();
        await go;
        return host.publish(inputs);
      },
    }),
  });
  return { served, asked, letGo };
}

test("closing waits for requests under way, over both protocols, and takes no new ones", async () => {
  const { served, asked, letGo } = await slow(2, { graceMs: 600_000 });
  const viaHttp1 = served.send(event);
  const session = connectHttp2(served.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/e/test",
    "content-type": "application/json",
  });
  stream.end(event);
  const response = once(stream, "response");
  await asked;
  const closed = served.api.close();
  await expect(fetch(`${served.url}/healthz`)).rejects.toThrow();
  letGo();
  expect((await viaHttp1).status).toBe(200);
  const [headers] = await response;
  expect(headers[":status"]).toBe(200);
  stream.resume();
  await closed;
  session.destroy();
  expect(await served.host.events.readEvent("e1")).toBeDefined();
  await served.close();
});

test("closing cuts requests that take longer than the time of grace", async () => {
  const { served, asked, letGo } = await slow(1, { graceMs: 50 });
  const request = served.send(event).catch(() => "cut");
  await asked;
  await served.api.close();
  expect(await request).toBe("cut");
  letGo();
  await served.close();
});

test("closing ends idle, silent and half-open connections at once", async () => {
  const served = await serve({ graceMs: 600_000 });
  const session = connectHttp2(served.url);
  const ping = session.request({ ":path": "/healthz" });
  await once(ping.resume(), "end");
  await fetch(`${served.url}/healthz`).then((response) => response.text());
  const silent = connect(served.port, "127.0.0.1");
  const half = connect(served.port, "127.0.0.1");
  const ended = [session, silent.resume(), half.resume()].map(closing);
  await Promise.all([once(silent, "connect"), once(half, "connect")]);
  half.write("PRI * HT");
  await served.close();
  await Promise.all(ended);
});

test("closing cuts a request that never comes to its end", async () => {
  const served = await serve({ graceMs: 50 });
  const socket = connect(served.port, "127.0.0.1", () => socket.write(rawPost(event).slice(0, -1)));
  const ended = closing(socket.resume());
  await once(socket, "connect");
  await served.close();
  await ended;
});

test("closing a server with TLS cuts connections that are still shaking hands", async () => {
  const served = await serve({ tls, graceMs: 50 });
  const socket = connect(served.port, "127.0.0.1");
  const ended = closing(socket.resume());
  await once(socket, "connect");
  await served.close();
  await ended;
});

test("closing twice, or before listening, is no error", async () => {
  const served = await serve();
  await Promise.all([served.api.close(), served.api.close()]);
  await served.api.close();
  await served.close();
});
