import { afterEach, describe, expect, test } from "vitest";
import { createApi } from "../../../host/api/server.ts";
import { createHost } from "../../../host/index.ts";
import { http2Client, rawExchange, serve, type Served } from "./api-fixture.ts";

let served: Served;
afterEach(() => served.close());

const event = JSON.stringify({ name: "a/b" });

async function sendTo(key: string): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${served.url}/e/${key}`, {
    method: "POST",
    body: event,
    headers: { "content-type": "application/json" },
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe("event keys", () => {
  test("open the door, each of them, percent-encoded where they must be", async () => {
    served = await serve({ eventKeys: ["first", "second/half ä"] });
    expect((await sendTo("first")).status).toBe(200);
    expect((await sendTo(encodeURIComponent("second/half ä"))).status).toBe(200);
  });

  test.each(["third", "firs", "first2", "FIRST", "%00", "first%00"])(
    "that are unknown (%s) are refused, with no hint of those that are",
    async (key) => {
      served = await serve({ eventKeys: ["first", "second"] });
      const { status, text, headers } = await sendTo(key);
      expect(status).toBe(401);
      expect(headers.get("www-authenticate")).toMatch(/^EventKey/);
      expect(JSON.parse(text)).toEqual({
        status: 401,
        error: { code: "ERR_KEY_UNKNOWN", message: expect.any(String), next: expect.any(String) },
      });
      expect(text).not.toMatch(/first|second/);
      expect(await served.host.events.readEvents({ limit: 1 })).toEqual([]);
    },
  );

  test("are looked at before a body is read", async () => {
    served = await serve({ eventKeys: ["first"] });
    const head =
      "POST /e/wrong HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n";
    expect(await rawExchange(served.port, `${head}connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 401/);
  });
});

describe("API keys", () => {
  test("are wanted for what is read, and for nothing else", async () => {
    served = await serve({ apiKeys: ["one", "two"] });
    for (const path of ["/v1/runs", "/v1/runs/x", "/v1/events", "/v1/functions", "/v1/live"]) {
      const { status, body, headers } = await served.get(path);
      expect([status, body.error.code]).toEqual([401, "ERR_API_KEY"]);
      expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
    }
    for (const path of ["/healthz", "/readyz", "/openapi.json"])
      expect((await served.get(path)).status).toBe(200);
    expect((await sendTo("any")).status).toBe(200);
  });

  test("open the reading API as Bearer tokens", async () => {
    served = await serve({ apiKeys: ["one", "two"] });
    const status = async (authorization: string) => (await served.get("/v1/runs", { authorization })).status;
    expect(await status("Bearer one")).toBe(200);
    expect(await status("bearer two")).toBe(200);
    for (const wrong of [
      "Bearer three",
      "Bearer",
      "Bearer ",
      "Basic one",
      "one",
      "Bearer one two",
      "Bearer onetwo",
    ]) {
      expect(await status(wrong), wrong).toBe(401);
    }
  });
});

describe("an API without keys", () => {
  test("listens on this machine alone", async () => {
    served = await serve();
    const api = await createApi(served.host, { eventKeys: "any" });
    await expect(api.listen({ hostname: "0.0.0.0" })).rejects.toMatchObject({ code: "ERR_API_OPEN" });
    await expect(api.listen({ hostname: "::" })).rejects.toMatchObject({ code: "ERR_API_OPEN" });
    await api.close();
  });

  test.each([{ apiKeys: "open" as const }, { apiKeys: ["key"] }])(
    "may listen anywhere with %j",
    async (options) => {
      served = await serve();
      const api = await createApi(served.host, { eventKeys: "any", ...options });
      const { url, port } = await api.listen({ hostname: "0.0.0.0" });
      expect(url).toBe(`http://127.0.0.1:${port}`);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      await api.close();
    },
  );

  test("may be called by this machine's names, and no other, over both protocols", async () => {
    served = await serve({ hostnames: ["tunnel.example"] });
    const viaHttp1 = (host: string) =>
      rawExchange(served.port, `GET /v1/runs HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    for (const host of [
      "localhost",
      `localhost:${served.port}`,
      "127.0.0.1:1",
      "[::1]:80",
      "a.localhost",
      "LOCALHOST",
      "tunnel.example:443",
    ]) {
      expect(await viaHttp1(host), host).toMatch(/^HTTP\/1\.1 200/);
    }
    for (const host of [
      "evil.example",
      "evillocalhost",
      "localhost.evil.example",
      "10.0.0.1",
      "127.0.0.1.evil.example",
      "[::2]",
      "",
    ]) {
      expect(await viaHttp1(host), host).toMatch(/^HTTP\/1\.1 421.*ERR_HOSTNAME_REFUSED/s);
    }
    const client = http2Client(served.url);
    expect((await client.request({ ":path": "/v1/runs", ":authority": "evil.example" })).status).toBe(421);
    expect((await client.request({ ":path": "/v1/runs" })).status).toBe(200);
    expect((await client.request({ ":authority": "evil.example" }, event)).status).toBe(421);
    await client.close();
  });

  test("with keys may be called by any name", async () => {
    served = await serve({ apiKeys: ["key"] });
    const request = "GET /healthz HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n\r\n";
    expect(await rawExchange(served.port, request)).toMatch(/^HTTP\/1\.1 200/);
  });

  test("allows no other origin to read or to post JSON", async () => {
    served = await serve();
    const preflight = await fetch(`${served.url}/e/test`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(preflight.ok).toBe(false);
    const read = await served.get("/v1/runs", { origin: "https://evil.example" });
    expect([...read.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("options that can't be used", () => {
  test.each([
    { eventKeys: [] },
    { eventKeys: [" "] },
    { eventKeys: "any" as const, apiKeys: [] },
    { eventKeys: "any" as const, bodyBytes: 0 },
    { eventKeys: "any" as const, timeouts: { idleMs: Number.NaN } },
  ])("are refused: %j", async (options) => {
    served = await serve();
    await expect(createApi(served.host, options)).rejects.toMatchObject({ code: "ERR_API_OPTIONS" });
  });

  test("such as a port that is taken or a name without address are named", async () => {
    served = await serve();
    const api = await createApi(served.host, { eventKeys: "any" });
    await expect(api.listen({ port: served.port })).rejects.toMatchObject({
      code: "ERR_API_LISTEN",
      message: expect.stringContaining(`port ${served.port}: something else listens there`),
    });
    await expect(api.listen({ hostname: "no-such-name.invalid" })).rejects.toMatchObject({
      code: "ERR_API_LISTEN",
    });
    expect(await api.listen({ hostname: "localhost" })).toMatchObject({ port: expect.any(Number) });
    await api.close();
  });

  test("such as a key that does not fit its certificate are named", async () => {
    served = await serve();
    const tls = { key: "no key", cert: "no certificate" };
    await expect(createApi(served.host, { eventKeys: "any", tls })).rejects.toMatchObject({
      code: "ERR_API_OPTIONS",
    });
  });
});

test("a host that was closed answers that it is stopping", async () => {
  served = await serve();
  const host = await createHost({ store: "memory:", drivers: new Map() });
  const api = await createApi(host, { eventKeys: "any", log: () => undefined });
  const { url } = await api.listen();
  await host.close();
  const answer = await fetch(`${url}/e/test`, {
    method: "POST",
    body: event,
    headers: { "content-type": "application/json" },
  });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "ERR_HOST_CLOSED" } });
  await api.close();
});
