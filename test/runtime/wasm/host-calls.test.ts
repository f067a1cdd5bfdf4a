import { afterEach, describe, expect, test } from "vitest";
import { httpGrant, type HttpGrantDocument } from "../../../host/function/capabilities.ts";
import { createSqliteKeyValues } from "../../../host/state/sqlite-key-values.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import type { KeyValues } from "../../../runtime/key-values.ts";
import { type GivenSecrets, givenSecrets } from "../../../runtime/secrets.ts";
import type { HostAnswer, HostCall, WithBytes } from "../../../runtime/wasm/calls.ts";
import { openHostCalls, type HostServices, type OpenCalls } from "../../../runtime/wasm/host-calls.ts";
import { listen, type Received } from "../egress/servers.ts";
import { stepInput, testLimits } from "./harness.ts";

const opened: OpenCalls[] = [];
afterEach(async () => {
  for (const calls of opened.splice(0)) await calls.close();
});
const running = new AbortController().signal;

interface Given {
  readonly http?: readonly HttpGrantDocument[];
  readonly kv?: true;
  readonly limits?: Partial<typeof testLimits>;
  readonly services?: HostServices;
  readonly secrets?: GivenSecrets["bound"];
}

function open({ http, kv, limits, services = {}, secrets = [] }: Given) {
  const calls = openHostCalls(services, {
    capabilities: { ...(http && { http: http.map(httpGrant) }), ...(kv && { kv }) },
    limits: { ...testLimits, ...limits },
    functionId: "f",
    secrets,
  });
  if (calls === undefined) throw new Error("there are no calls");
  opened.push(calls);
  return async (head: HostCall, bytes?: string, signal = running): Promise<WithBytes<HostAnswer>> =>
    calls.calls({ head, ...(bytes !== undefined && { bytes: Buffer.from(bytes) }) }, signal);
}

const get = (authority: string, more: Partial<HostCall & { readonly op: "http" }> = {}): HostCall => ({
  op: "http",
  method: "GET",
  scheme: "http",
  authority,
  path: "/",
  headers: [],
  ...more,
});
const local = (port: number, host = "127.0.0.1") => ({ host: `http://${host}:${port}`, private: true });

test("a step without `http` and `kv` asks nothing of the host", () => {
  const attempt = { limits: testLimits, functionId: "f", secrets: [] };
  expect(openHostCalls({}, { ...attempt, capabilities: { env: {}, tmp: true, config: {} } })).toBeUndefined();
});

describe("http", () => {
  test("answers with the response, or with why there is none", async () => {
    const { port } = await listen((_, response) => response.writeHead(404, { x: "y" }).end("body"));
    const ask = open({ http: [local(port)] });
    const { head, bytes } = await ask(get(`127.0.0.1:${port}`));
    expect(head).toMatchObject({
      kind: "response",
      status: 404,
      headers: expect.arrayContaining([["x", "y"]]),
    });
    expect(Buffer.from(bytes ?? []).toString()).toBe("body");
    expect(await ask(get("example.com"))).toEqual({
      head: {
        kind: "http-error",
        code: "HTTP-request-denied",
        detail: "The step was not granted GET http://example.com.",
      },
    });
  });

  test("is denied to a step with `kv` alone", async () => {
    expect(await open({ kv: true })(get("example.com"))).toMatchObject({
      head: { kind: "http-error", code: "HTTP-request-denied" },
    });
  });

  test("breaks off at more requests at once than the limit, and only then", async () => {
    const held: (() => void)[] = [];
    const { port } = await listen((_, response) => void held.push(() => response.end()));
    const ask = open({ http: [local(port)], limits: { httpConcurrent: 3 } });
    const three = [1, 2, 3].map(() => ask(get(`127.0.0.1:${port}`)));
    await expect.poll(() => held.length).toBe(3);
    expect(await ask(get(`127.0.0.1:${port}`))).toEqual({
      head: {
        kind: "breach",
        code: "ERR_STEP_HTTP_REQUESTS",
        message: "The attempt had 4 HTTP requests under way at once, over the limit of 3.",
      },
    });
    for (const end of held.splice(0)) end();
    expect((await Promise.all(three)).map(({ head }) => head.kind)).toEqual([
      "response",
      "response",
      "response",
    ]);
    const next = ask(get(`127.0.0.1:${port}`));
    await expect.poll(() => held.length).toBe(1);
    held[0]?.();
    expect((await next).head.kind).toBe("response");
  });

  test("breaks off at a body over the limit, with how much it was", async () => {
    const { port } = await listen((_, response) => response.end("x".repeat(101)));
    const ask = open({ http: [local(port)], limits: { httpBodyBytes: 100 } });
    const breach = { kind: "breach", code: "ERR_STEP_HTTP_TOO_LARGE" };
    const message = (what: string) =>
      `The body of an HTTP ${what} had 101 bytes or more, over the limit of 100.`;
    expect((await ask(get(`127.0.0.1:${port}`))).head).toEqual({ ...breach, message: message("response") });
    const request = get(`127.0.0.1:${port}`, { method: "POST" });
    expect((await ask(request, "x".repeat(101))).head).toEqual({ ...breach, message: message("request") });
  });
});

describe("a secret with hosts", () => {
  const value = "sk_live-äöü/4242";
  const wire = Buffer.from(value).toString("latin1");
  const { ctx } = stepInput();
  const given = (ports: readonly number[], more: object = {}) => {
    const hosts = ports.map((port) => ({ scheme: "http" as const, host: "good.example", ports: [port] }));
    const secrets = givenSecrets({ secrets: { KEY: { hosts } }, ...more }, new Map([["KEY", value]]), ctx);
    if ("code" in secrets) throw new Error(secrets.message);
    return { bound: secrets.bound, placeholder: secrets.env["KEY"] ?? "" };
  };
  const services = { resolve: () => Promise.resolve(["127.0.0.1"]) };
  const headersOf = ({ headers }: Received): Readonly<Record<string, string>> =>
    Object.fromEntries(Array.from({ length: headers.length / 2 }, (_, i) => headers.slice(2 * i, 2 * i + 2)));

  test("is a placeholder to the step, another one in each attempt, the same with a seed", () => {
    const { placeholder } = given([80]);
    expect(placeholder).toMatch(/^secret-KEY-[\da-f]{32}$/);
    const next = { ...ctx, attempt: 2 };
    const other = givenSecrets({ secrets: { KEY: { hosts: [] } } }, new Map([["KEY", value]]), next);
    expect(other).not.toMatchObject({ env: { KEY: placeholder } });
    expect(given([80], { seed: "1" }).placeholder).toBe(given([80], { seed: "1" }).placeholder);
    expect(given([80], { seed: "2" }).placeholder).not.toBe(given([80], { seed: "1" }).placeholder);
  });

  test("goes in the headers of requests to them, and there alone", async () => {
    const good = await listen((_, response) => response.end());
    const bad = await listen((_, response) => response.end());
    const { bound, placeholder } = given([good.port]);
    const http = [
      local(good.port, "good.example"),
      local(bad.port, "good.example"),
      local(bad.port, "bad.example"),
      local(bad.port, "sub.good.example"),
    ];
    const ask = open({ http, services, secrets: bound });
    const basic = (user: string) => `Basic ${Buffer.from(user, "latin1").toString("base64")}`;
    const request = (authority: string): HostCall =>
      get(authority, {
        method: "POST",
        path: `/${placeholder}?${placeholder}`,
        headers: [
          ["authorization", `Bearer ${placeholder}`],
          ["x-basic", basic(`user:${placeholder}`)],
          ["x-twice", `${placeholder},${placeholder}`],
        ],
      });
    await ask(request(`good.example:${good.port}`), placeholder);
    const [received] = good.received;
    expect(received).toMatchObject({ url: `/${placeholder}?${placeholder}`, body: placeholder });
    expect(headersOf(received as Received)).toMatchObject({
      authorization: `Bearer ${wire}`,
      "x-basic": basic(`user:${wire}`),
      "x-twice": `${wire},${wire}`,
    });
    for (const host of ["good.example", "bad.example", "sub.good.example"]) {
      await ask(request(`${host}:${bad.port}`), placeholder);
    }
    expect(bad.received.length).toBe(3);
    const seen = JSON.stringify(bad.received);
    expect(seen).toContain(placeholder);
    for (const form of [value, wire, basic(wire), Buffer.from(value).toString("base64")]) {
      expect(seen).not.toContain(form);
    }
  });

  test("comes back as its placeholder from a server that repeats what it got", async () => {
    const { port } = await listen((request, response) => {
      const said = Buffer.from(
        `a${request.headers["authorization"]}b${request.headers["authorization"]}`,
        "latin1",
      );
      response.writeHead(200, { "x-echo": request.headers["authorization"], "content-length": said.length });
      response.end(said);
    });
    const { bound, placeholder } = given([port]);
    const ask = open({ http: [local(port, "good.example")], services, secrets: bound });
    const { head, bytes } = await ask(
      get(`good.example:${port}`, { headers: [["authorization", placeholder]] }),
    );
    const body = `a${placeholder}b${placeholder}`;
    expect(Buffer.from(bytes ?? []).toString()).toBe(body);
    const headers = expect.arrayContaining([
      ["x-echo", placeholder],
      ["content-length", String(body.length)],
    ]);
    expect(head).toMatchObject({ status: 200, headers });
  });

  test("that no header can hold is sent nowhere, and not told of", async () => {
    const { port, received } = await listen((_, response) => response.end());
    const hosts = [{ scheme: "http" as const, host: "good.example", ports: [port] }];
    const bound = [{ placeholder: "placeholder", value: "two\r\nhost: lines", hosts }];
    const ask = open({ http: [local(port, "good.example")], services, secrets: bound });
    const { head } = await ask(get(`good.example:${port}`, { headers: [["authorization", "placeholder"]] }));
    expect(head).toMatchObject({ kind: "http-error", code: "HTTP-protocol-error" });
    expect(JSON.stringify(head)).not.toContain("lines");
    expect(received).toEqual([]);
  });
});

describe("kv", () => {
  const store = (): KeyValues => createSqliteKeyValues(openDatabase({ file: ":memory:" }));
  const bucket = "default";

  test("answers every call of a function's store", async () => {
    const ask = open({ kv: true, services: { keyValues: store() } });
    const head = async (call: HostCall, bytes?: string) => (await ask(call, bytes)).head;
    expect(await head({ op: "kv.get", bucket, key: "a" })).toEqual({ kind: "value", found: false });
    expect(await head({ op: "kv.set", bucket, key: "a", revision: null }, "1")).toEqual({
      kind: "done",
      changed: true,
    });
    expect(await head({ op: "kv.set", bucket, key: "a", revision: null }, "2")).toEqual({
      kind: "done",
      changed: false,
    });
    const found = await ask({ op: "kv.get", bucket: "", key: "a" });
    expect(found).toMatchObject({ head: { kind: "value", found: true, revision: expect.any(String) } });
    expect(Buffer.from(found.bytes ?? []).toString()).toBe("1");
    expect(await ask({ op: "kv.exists", bucket, key: "a" })).toMatchObject({ head: { found: true } });
    expect(await head({ op: "kv.increment", bucket, key: "n", delta: "9007199254740993" })).toEqual({
      kind: "count",
      value: "9007199254740993",
    });
    expect(await head({ op: "kv.keys", bucket })).toEqual({ kind: "keys", keys: ["a", "n"] });
    expect(await head({ op: "kv.delete", bucket, key: "a" })).toEqual({ kind: "done", changed: true });
    expect(await head({ op: "kv.keys", bucket, cursor: "a" })).toEqual({ kind: "keys", keys: ["n"] });
  });

  test.each<[string, HostCall, string | undefined, object]>([
    ["another bucket", { op: "kv.get", bucket: "other", key: "a" }, undefined, { code: "no-such-store" }],
    [
      "no key",
      { op: "kv.get", bucket, key: "" },
      undefined,
      { code: "other", detail: "a key has 1 to 512 bytes, not 0" },
    ],
    [
      "a long key",
      { op: "kv.set", bucket, key: "ü".repeat(257) },
      "",
      { code: "other", detail: "a key has 1 to 512 bytes, not 514" },
    ],
    [
      "a large value",
      { op: "kv.set", bucket, key: "a" },
      "x".repeat(65_537),
      { code: "other", detail: "a value has up to 65536 bytes, not 65537" },
    ],
    [
      "a sum that does not fit",
      { op: "kv.increment", bucket, key: "a", delta: "9223372036854775808" },
      undefined,
      { code: "other" },
    ],
  ])("refuses %s", async (_, call, bytes, error) => {
    const ask = open({ kv: true, services: { keyValues: store() } });
    expect((await ask(call, bytes)).head).toMatchObject({ kind: "kv-error", ...error });
  });

  test("is denied without the capability, and tells of a store that fails", async () => {
    const { port } = await listen((_, response) => response.end());
    const denied = open({ http: [local(port)], services: { keyValues: store() } });
    expect((await denied({ op: "kv.get", bucket, key: "a" })).head).toEqual({
      kind: "kv-error",
      code: "access-denied",
    });
    const broken = { ...store(), get: () => Promise.reject(new Error("the disk is gone")) };
    const ask = open({ kv: true, services: { keyValues: broken } });
    expect((await ask({ op: "kv.get", bucket, key: "a" })).head).toEqual({
      kind: "kv-error",
      code: "other",
      detail: "the disk is gone",
    });
  });

  test("has at most so many calls of an attempt under way, and none once it has ended", async () => {
    let most = 0;
    let underWay = 0;
    const done: (() => void)[] = [];
    const slow: KeyValues = {
      ...store(),
      async get() {
        most = Math.max(most, ++underWay);
        await new Promise<void>((resolve) => done.push(resolve));
        underWay--;
        return undefined;
      },
    };
    const ended = new AbortController();
    const ask = open({ kv: true, services: { keyValues: slow } });
    const calls = Array.from({ length: 30 }, () =>
      ask({ op: "kv.get", bucket, key: "a" }, undefined, ended.signal),
    );
    while (done.length > 0) {
      done.shift()?.();
      await new Promise((resolve) => void setImmediate(resolve));
      if (calls.length === 30 && most === 8 && underWay === 8 && done.length === 8) ended.abort();
    }
    const answers = await Promise.all(calls);
    expect(most).toBe(8);
    expect(answers.some(({ head }) => head.kind === "value")).toBe(true);
    expect(answers.some(({ head }) => head.kind === "kv-error")).toBe(true);
  });
});
