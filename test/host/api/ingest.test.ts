import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { MillraceError } from "../../../host/errors.ts";
import { rawExchange, serve, type Served } from "./api-fixture.ts";

let served: Served;
afterEach(() => served.close());

const event = { name: "user/signed.up", data: { plan: "pro" } };
/** Every refusal has this form. */
const refusal = (status: number, code: string) => ({
  status,
  error: { code, message: expect.any(String), next: expect.any(String) },
});

describe("sending events", () => {
  test("one event is answered with its id, and stored", async () => {
    served = await serve();
    const { status, body } = await served.send(JSON.stringify(event));
    expect(status).toBe(200);
    expect(body).toEqual({ ids: [expect.stringMatching(/^[\da-f-]{36}$/)], status: 200 });
    const stored = await served.host.events.readEvent(body.ids[0]);
    expect(stored?.event).toMatchObject(event);
  });

  test("an array is answered with the ids in its order, those given by the sender kept", async () => {
    served = await serve();
    const { body } = await served.send(JSON.stringify([{ ...event, id: "b" }, event, { ...event, id: "a" }]));
    expect(body.ids).toEqual(["b", expect.stringMatching(/^[\da-f-]{36}$/), "a"]);
  });

  test("an id that was seen before is accepted again, and stored once", async () => {
    served = await serve();
    const sent = JSON.stringify([{ ...event, id: "same" }]);
    expect((await served.send(sent)).body).toEqual({ ids: ["same"], status: 200 });
    expect((await served.send(sent)).body).toEqual({ ids: ["same"], status: 200 });
    expect(await served.host.events.readEvents({ limit: 10 })).toHaveLength(1);
  });

  test("5,000 events in one request are taken, 5,001 are refused and none is stored", async () => {
    served = await serve();
    const many = Array.from({ length: 5_000 }, () => event);
    expect((await served.send(JSON.stringify(many))).body.ids).toHaveLength(5_000);
    const tooMany = await served.send(JSON.stringify([...many, event]));
    expect(tooMany.body).toMatchObject(refusal(413, "ERR_EVENT_TOO_MANY"));
    expect(await served.host.events.readEvents({ limit: 10_000 })).toHaveLength(5_000);
  });

  test("text beyond ASCII and a byte order mark are taken", async () => {
    served = await serve();
    const { body } = await served.send(`\uFEFF${JSON.stringify({ ...event, data: { name: "Zoë 💥" } })}`);
    const stored = await served.host.events.readEvent(body.ids[0]);
    expect(stored?.event.data).toEqual({ name: "Zoë 💥" });
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ])("a body in %s is taken", async (coding, compress) => {
    served = await serve();
    const { status } = await served.send(new Uint8Array(compress(JSON.stringify(event))), {
      "content-encoding": coding,
    });
    expect(status).toBe(200);
  });

  test("the sender's trace goes on in events that name none", async () => {
    served = await serve();
    const sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const own = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const events = JSON.stringify([
      { ...event, id: "1" },
      { ...event, id: "2", traceparent: own },
    ]);
    await served.send(events, { traceparent: sent });
    expect((await served.host.events.readEvent("1"))?.event.traceparent).toBe(sent);
    expect((await served.host.events.readEvent("2"))?.event.traceparent).toBe(own);
    expect((await served.send(JSON.stringify(event), { traceparent: "broken" })).status).toBe(200);
  });

  test("a client that waits for 100 Continue is told to go on, once", async () => {
    served = await serve();
    const body = JSON.stringify(event);
    const head = [
      "POST /e/test HTTP/1.1",
      "host: localhost",
      "content-type: application/json",
      `content-length: ${body.length}`,
      "expect: 100-continue",
      "connection: close",
    ].join("\r\n");
    const answer = await rawExchange(served.port, `${head}\r\n\r\n${body}`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
  });

  test("a client that waits for 100 Continue gets a refusal instead where one is due", async () => {
    served = await serve({ bodyBytes: 1_000 });
    const head = [
      "POST /e/test HTTP/1.1",
      "host: localhost",
      "content-type: application/json",
      "content-length: 1001",
      "expect: 100-continue",
      "connection: close",
    ].join("\r\n");
    const answer = await rawExchange(served.port, `${head}\r\n\r\n`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413"]);
  });
});

describe("a body that can't be taken", () => {
  test("as JSON is refused with line and column", async () => {
    served = await serve();
    const { status, body } = await served.send('{\n  "name": "a/b",\n}');
    expect(status).toBe(400);
    expect(body).toEqual({
      status: 400,
      error: {
        code: "ERR_BODY_JSON",
        message: expect.stringContaining("line 3, column 1"),
        next: expect.any(String),
        problems: [
          {
            code: "ERR_BODY_JSON",
            message: expect.any(String),
            line: 3,
            column: 1,
            expected: expect.any(String),
          },
        ],
      },
    });
  });

  test.each(["", "   \n"])("because it is empty (%j) is refused", async (text) => {
    served = await serve();
    expect((await served.send(text)).body).toMatchObject(refusal(400, "ERR_BODY_JSON"));
  });

  test.each([
    ["application/x-www-form-urlencoded", 415, "ERR_BODY_TYPE"],
    ["text/plain", 415, "ERR_BODY_TYPE"],
    ["application/cloudevents+xml", 415, "ERR_BODY_TYPE"],
    ["application/json; charset=utf-16", 400, "ERR_BODY_ENCODING"],
  ])("because its type is %s is refused", async (type, status, code) => {
    served = await serve();
    const answer = await served.send(JSON.stringify(event), { "content-type": type });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject(refusal(status, code));
  });

  test("because it has no type is refused with the header that is missing", async () => {
    served = await serve();
    const response = await fetch(`${served.url}/e/test`, {
      method: "POST",
      body: new TextEncoder().encode(JSON.stringify(event)),
    });
    const body: any = await response.json();
    expect(body).toMatchObject(refusal(415, "ERR_BODY_TYPE"));
    expect(body.error.next).toContain("-H 'content-type: application/json'");
  });

  test.each([
    "application/json",
    "APPLICATION/JSON; charset=UTF-8",
    "application/vnd.acme+json",
    'application/json;charset="utf-8"',
  ])("is not one of type %s", async (type) => {
    served = await serve();
    expect((await served.send(JSON.stringify(event), { "content-type": type })).status).toBe(200);
  });

  test("because it is not UTF-8 is refused with the offset of the first wrong byte", async () => {
    served = await serve();
    const bytes = new Uint8Array(Buffer.from('{"name":"caf\u00e9"}', "latin1"));
    const { body } = await served.send(bytes);
    expect(body).toMatchObject(refusal(400, "ERR_BODY_ENCODING"));
    expect(body.error.message).toContain("0xe9 at offset 12");
  });

  test("because it is too large is refused, with and without a Content-Length", async () => {
    served = await serve({ bodyBytes: 1_000 });
    const large = JSON.stringify({ ...event, data: { text: "x".repeat(1_000) } });
    expect((await served.send(large)).body).toMatchObject(refusal(413, "ERR_BODY_TOO_LARGE"));
    const chunks = new ReadableStream({
      start(controller) {
        for (const part of large.match(/.{1,100}/gs) ?? [])
          controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    const streamed = await fetch(`${served.url}/e/test`, {
      method: "POST",
      body: chunks,
      duplex: "half",
      headers: { "content-type": "application/json" },
    });
    expect(await streamed.json()).toMatchObject(refusal(413, "ERR_BODY_TOO_LARGE"));
    expect((await served.send(JSON.stringify(event))).status).toBe(200);
  });

  test("because it is too large once decompressed is refused", async () => {
    served = await serve({ bodyBytes: 100_000 });
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(10_000_000, " ")));
    expect(bomb.length).toBeLessThan(100_000);
    const { body } = await served.send(bomb, { "content-encoding": "gzip" });
    expect(body).toMatchObject(refusal(413, "ERR_BODY_TOO_LARGE"));
  });

  test("because its Content-Encoding is unknown or wrong is refused with what would do", async () => {
    served = await serve();
    const unknown = await served.send("{}", { "content-encoding": "compress" });
    expect(unknown.body).toMatchObject(refusal(415, "ERR_BODY_CODING_UNKNOWN"));
    expect(unknown.headers.get("accept-encoding")).toBe("gzip, deflate, br, zstd");
    const wrong = await served.send("{}", { "content-encoding": "gzip" });
    expect(wrong.body).toMatchObject(refusal(400, "ERR_BODY_CODING"));
    const cut = new Uint8Array(gzipSync(JSON.stringify(event)).subarray(0, -4));
    expect((await served.send(cut, { "content-encoding": "gzip" })).body).toMatchObject(
      refusal(400, "ERR_BODY_CODING"),
    );
  });
});

describe("events that can't be taken", () => {
  test("are refused with every problem, and none of the request is stored", async () => {
    served = await serve();
    const { body } = await served.send(
      JSON.stringify([{ ...event, id: "good" }, { data: [] }, { nam: "x" }]),
    );
    expect(body).toMatchObject(refusal(400, "ERR_EVENT_INVALID"));
    const pointers = body.error.problems.map((problem: { pointer: string }) => problem.pointer);
    expect(pointers).toEqual(expect.arrayContaining(["/1", "/1/data", "/2/nam", "/2"]));
    expect(body.error.problems).toContainEqual(expect.objectContaining({ suggestion: "name" }));
    expect(await served.host.events.readEvents({ limit: 10 })).toEqual([]);
  });

  test("name places in a body of one event without an index", async () => {
    served = await serve();
    const { body } = await served.send(JSON.stringify({ ...event, data: 1, ts: "now" }));
    expect(body.error.problems.map((problem: { pointer: string }) => problem.pointer)).toEqual([
      "/data",
      "/ts",
    ]);
    expect(body.error.message).toContain("/data");
  });

  test("are counted where there are more problems than are listed", async () => {
    served = await serve();
    const { body } = await served.send(JSON.stringify(Array.from({ length: 150 }, () => ({}))));
    expect(body.error.problems).toHaveLength(100);
    expect(body.error.problemCount).toBe(150);
  });

  test("because of their schema are refused with every misfit", async () => {
    served = await serve();
    const { properties, required } = {
      properties: { plan: { enum: ["pro", "free"] } },
      required: ["plan", "seats"],
    };
    await served.host.setEventSchemas({ "user/signed.up": { type: "object", properties, required } });
    const { status, body } = await served.send(JSON.stringify({ ...event, data: { plan: "gold" } }));
    expect(status).toBe(422);
    expect(body).toMatchObject(refusal(422, "ERR_EVENT_SCHEMA"));
    expect(body.error.problems).toHaveLength(2);
    expect(body.error.problems).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: "ERR_EVENT_SCHEMA", pointer: "/data/plan" })]),
    );
  });

  test("because they are CloudEvents sent as plain JSON are told how to be sent", async () => {
    served = await serve();
    const { body } = await served.send(
      JSON.stringify({ specversion: "1.0", id: "1", source: "/s", type: "t" }),
    );
    expect(body.error.message).toContain("application/cloudevents+json");
  });

  test("for reasons of several kinds are refused by the code that covers all of them", async () => {
    served = await serve();
    const large = { ...event, data: { text: "x".repeat(300_000) } };
    const { body } = await served.send(JSON.stringify([large, { ...event, data: 1 }]));
    expect(body).toMatchObject(refusal(400, "ERR_EVENT_INVALID"));
    expect(body.error.problems.map((problem: { code: string }) => problem.code)).toEqual([
      "ERR_EVENT_TOO_LARGE",
      "ERR_EVENT_INVALID",
    ]);
  });

  test.each([
    [
      "__proto__ in data",
      '{"name":"a/b","data":{"__proto__":{"admin":true}}}',
      400,
      "ERR_EVENT_FORBIDDEN_KEY",
    ],
    ["__proto__ beside data", '{"name":"a/b","__proto__":{"id":"x"}}', 400, "ERR_EVENT_FORBIDDEN_KEY"],
    [
      "10,000 levels",
      `{"name":"a/b","data":{"a":${"[".repeat(1e4)}${"]".repeat(1e4)}}}`,
      400,
      "ERR_EVENT_TOO_DEEP",
    ],
    [
      "a huge event",
      JSON.stringify({ name: "a/b", data: { text: "x".repeat(300_000) } }),
      413,
      "ERR_EVENT_TOO_LARGE",
    ],
    ["half a surrogate pair", String.raw`{"name":"a/b","data":{"text":"\ud800"}}`, 400, "ERR_EVENT_INVALID"],
    ["a string", '"event"', 400, "ERR_EVENT_INVALID"],
    ["null", "null", 400, "ERR_EVENT_INVALID"],
  ])("because of %s are refused, and the next event is taken", async (_what, text, status, code) => {
    served = await serve();
    const { body } = await served.send(text);
    expect(body).toMatchObject(refusal(status, code));
    expect(body.error.problems).toEqual([expect.objectContaining({ code })]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect((await served.send(JSON.stringify(event))).status).toBe(200);
  });
});

/** Serves a host whose store takes nothing. */
function failing(error: Error): Promise<Served> {
  const publish = async (): Promise<never> => {
    throw error;
  };
  return serve({}, { change: (host) => ({ ...host, publish }) });
}

describe("a fault on the host's side", () => {
  test.each([
    ["ERR_STORE_FULL", 507],
    ["ERR_STORE_UNAVAILABLE", 503],
    ["ERR_HOST_CLOSED", 503],
  ] as const)("%s is answered with its status and logged under the answer's id", async (code, status) => {
    served = await failing(new MillraceError(code, "as it is", { cause: new Error("secret detail") }));
    const { body, headers } = await served.send(JSON.stringify(event));
    expect(body).toMatchObject(refusal(status, code));
    expect(body.error.requestId).toBe(headers.get("x-request-id"));
    expect(JSON.stringify(body)).not.toContain("secret detail");
    expect(served.logged).toEqual([
      expect.objectContaining({ level: "error", code, requestId: body.error.requestId }),
    ]);
    expect(served.logged[0]?.error).toContain("secret detail");
  });

  test("that nobody foresaw is answered without its message or stack", async () => {
    served = await failing(new TypeError("secret detail"));
    const { body } = await served.send(JSON.stringify(event));
    expect(body).toMatchObject(refusal(500, "ERR_INTERNAL"));
    expect(JSON.stringify(body)).not.toMatch(/secret detail|at .*\.ts/);
    expect(served.logged[0]?.error).toContain("secret detail");
  });
});

test("a full disk is answered 507, and what was acknowledged before stays", async () => {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const folder = await mkdtemp(join(tmpdir(), "millrace-api-"));
  try {
    served = await serve({}, { store: `sqlite:${join(folder, "s.db")}?maxSize=2000000` });
    const large = { ...event, data: { text: "x".repeat(200_000) } };
    const kept: string[] = [];
    let full;
    for (let count = 0; full === undefined && count < 50; count += 1) {
      const answer = await served.send(JSON.stringify(large));
      if (answer.status === 200) kept.push(answer.body.ids[0]);
      else full = answer;
    }
    expect(full?.body).toMatchObject(refusal(507, "ERR_STORE_FULL"));
    expect(kept.length).toBeGreaterThan(0);
    for (const id of kept) expect(await served.host.events.readEvent(id)).toBeDefined();
    await served.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
