import { describe, expect, test } from "vitest";
import type { HttpGrantDocument } from "../../../host/function/capabilities.ts";
import { codeOf, egressTo, get, hello, local, send } from "./egress-fixture.ts";
import { certificate, listen, listenRaw } from "./servers.ts";

describe("a request that is granted", () => {
  test("is sent as it was made, and its response is handed back whole", async () => {
    const { port, received } = await listen((_, response) => {
      response.writeHead(201, [
        ["X-One", "1"],
        ["x-one", "2"],
        ["Latin", "Gr\xfc\xdfe"],
        ["Keep-Alive", "timeout=5"],
      ] as never);
      response.write("a");
      response.end(Buffer.from([0, 255]));
    });
    const egress = egressTo([local(port)]);
    const outcome = await send(
      egress,
      get(`127.0.0.1:${port}`, {
        method: "POST",
        path: "/a/b?c=%20d&e",
        headers: [
          ["accept", "text/plain"],
          ["x-twice", "1"],
          ["x-twice", "\xe9"],
          ["content-length", "4"],
        ],
        body: Buffer.from("body"),
      }),
    );
    expect(received).toEqual([
      {
        method: "POST",
        url: "/a/b?c=%20d&e",
        headers:
          `host 127.0.0.1:${port} connection keep-alive accept text/plain x-twice 1 x-twice \xe9 content-length 4`.split(
            " ",
          ),
        body: "body",
      },
    ]);
    if (!outcome.ok) throw new Error(codeOf(outcome));
    expect(outcome.response.status).toBe(201);
    expect(outcome.response.headers.filter(([name]) => name !== "date")).toEqual([
      ["x-one", "1"],
      ["x-one", "2"],
      ["latin", "Gr\xfc\xdfe"],
    ]);
    expect([...outcome.response.body]).toEqual([97, 0, 255]);
  });

  test("goes over TLS, where the certificate must be the host's", async () => {
    const { port } = await listen((_, response) => response.end("safe"), { tls: true });
    const grants: HttpGrantDocument[] = [
      { host: `localhost:${port}`, private: true },
      { host: `other.example:${port}`, private: true },
    ];
    const resolve = () => Promise.resolve(["127.0.0.1"]);
    const trusting = egressTo(grants, { ca: certificate, resolve });
    const request = get(`localhost:${port}`, { scheme: "https" });
    expect(codeOf(await send(trusting, request))).toBe("200");
    expect(codeOf(await send(trusting, { ...request, authority: `other.example:${port}` }))).toBe(
      "TLS-certificate-error",
    );
    expect(codeOf(await send(egressTo(grants, { resolve }), request))).toBe("TLS-certificate-error");
  });

  test("has the redirect itself as its response", async () => {
    const target = await hello();
    const { port } = await listen((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end(),
    );
    const outcome = await send(egressTo([local(port), local(target.port)]), get(`127.0.0.1:${port}`));
    expect(codeOf(outcome)).toBe("302");
    expect(target.received).toEqual([]);
  });

  test("keeps its connection for the next one", async () => {
    const ports = new Set<number | undefined>();
    const { port } = await listen((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const egress = egressTo([local(port)]);
    for (let count = 0; count < 5; count++) await send(egress, get(`127.0.0.1:${port}`));
    expect(ports.size).toBeLessThan(5);
  });
});

describe("a response that is none", () => {
  test.each([
    ["no HTTP", () => "nonsense\r\n\r\n", "HTTP-protocol-error"],
    [
      "two lengths",
      () => "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      "HTTP-response-incomplete",
    ],
    [
      "length and chunks",
      () => "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP-response-incomplete",
    ],
    [
      "another protocol",
      () => "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
      "connection-terminated",
    ],
    [
      "endless headers",
      () => `HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(100)}\r\n`.repeat(1_000)}\r\n`,
      "HTTP-response-header-section-size",
    ],
  ])("is an error: %s", async (_, answer, code) => {
    const { port } = await listenRaw(answer);
    expect(codeOf(await send(egressTo([local(port)]), get(`127.0.0.1:${port}`)))).toBe(code);
  });

  test("is an error: cut off in its body", async () => {
    const { port } = await listen((request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("abc");
      setImmediate(() => request.socket.destroy());
    });
    expect(codeOf(await send(egressTo([local(port)]), get(`127.0.0.1:${port}`)))).toBe(
      "HTTP-response-incomplete",
    );
  });

  test("is an error: nobody listens", async () => {
    const { port } = await hello();
    const egress = egressTo([local(port), local(1)]);
    expect(codeOf(await send(egress, get("127.0.0.1:1")))).toBe("connection-refused");
  });

  test("is an error: no such name", async () => {
    const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    const egress = egressTo(["http://gone.example"], { resolve });
    expect(codeOf(await send(egress, get("gone.example")))).toBe("destination-not-found");
  });
});

describe("bodies over the limit", () => {
  test("are refused in a request before it is sent", async () => {
    const { port, received } = await hello();
    const egress = egressTo([local(port)], { bodyBytes: 10 });
    const request = get(`127.0.0.1:${port}`, { method: "POST" });
    expect(await send(egress, { ...request, body: Buffer.alloc(11) })).toEqual({
      ok: false,
      tooLarge: "request",
      bytes: 11,
    });
    expect(codeOf(await send(egress, { ...request, body: Buffer.alloc(10) }))).toBe("200");
    expect(received.length).toBe(1);
  });

  test("end a response as soon as they are announced, or have come", async () => {
    const announced = await listen((_, response) => {
      response.writeHead(200, { "content-length": "1000000" });
      response.write("x");
    });
    const endless = await listen((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1000)));
      };
      response.on("drain", more);
      more();
    });
    const egress = egressTo([local(announced.port), local(endless.port)], { bodyBytes: 5000 });
    expect(await send(egress, get(`127.0.0.1:${announced.port}`))).toEqual({
      ok: false,
      tooLarge: "response",
      bytes: 1_000_000,
    });
    const outcome = await send(egress, get(`127.0.0.1:${endless.port}`));
    expect(outcome).toMatchObject({ ok: false, tooLarge: "response" });
  });

  test("are none in the answer to HEAD, whatever it announces", async () => {
    const { port } = await listen((_, response) =>
      response.writeHead(200, { "content-length": "1000000" }).end(),
    );
    const egress = egressTo([local(port)], { bodyBytes: 10 });
    expect(codeOf(await send(egress, get(`127.0.0.1:${port}`, { method: "HEAD" })))).toBe("200");
  });
});

describe("a server that takes its time", () => {
  test("runs into the guest's own patience", async () => {
    const silent = await listen(() => undefined);
    const slow = await listen((_, response) => void response.write("a"));
    const egress = egressTo([local(silent.port), local(slow.port)]);
    const [first, between] = await Promise.all([
      send(egress, get(`127.0.0.1:${silent.port}`, { firstByteTimeoutMs: 50 })),
      send(egress, get(`127.0.0.1:${slow.port}`, { betweenBytesTimeoutMs: 50 })),
    ]);
    expect([codeOf(first), codeOf(between)]).toEqual(["HTTP-response-timeout", "connection-read-timeout"]);
  });

  test.each(["before it answers", "in its body"])("is left when the attempt ends: %s", async (when) => {
    let gone: (() => void) | undefined;
    const left = new Promise<void>((resolve) => (gone = resolve));
    const controller = new AbortController();
    const { port } = await listen((_, response) => {
      response.on("close", () => gone?.());
      if (when === "in its body") response.write("a");
      setTimeout(() => controller.abort(), 50);
    });
    const outcome = await send(egressTo([local(port)]), get(`127.0.0.1:${port}`), controller.signal);
    expect(codeOf(outcome)).toBe("connection-terminated");
    await left;
  });

  test("is left when nobody says where it is", async () => {
    const controller = new AbortController();
    const resolve = () => {
      setTimeout(() => controller.abort(), 20);
      return new Promise<never>(() => undefined);
    };
    const egress = egressTo(["http://lost.example"], { resolve });
    const outcome = send(egress, get("lost.example"), controller.signal);
    expect(codeOf(await outcome)).toBe("connection-terminated");
    await egress.close();
    const patient = egressTo(["http://lost.example"], { resolve: () => new Promise(() => undefined) });
    expect(codeOf(await send(patient, get("lost.example", { connectTimeoutMs: 50 })))).toBe(
      "connection-timeout",
    );
    await patient.close();
  });

  test("is left when all is closed, and nothing is sent after that", async () => {
    let asked: (() => void) | undefined;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    const { port, received } = await listen(() => asked?.());
    const egress = egressTo([local(port)]);
    const outcome = send(egress, get(`127.0.0.1:${port}`));
    await waiting;
    await egress.close();
    expect((await outcome).ok).toBe(false);
    expect(codeOf(await send(egress, get(`127.0.0.1:${port}`)))).toBe("connection-terminated");
    expect(received.length).toBe(1);
  });
});
