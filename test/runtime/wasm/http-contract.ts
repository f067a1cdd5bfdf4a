import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callsGuest } from "./calls-guest.ts";
import { answering, createCallsHarness, returned } from "./calls-harness.ts";
import type { CallsHarness } from "./calls-harness.ts";
import type { CreateEngine } from "./harness.ts";
import { recording, response, send } from "./http-bench.ts";
import type { HttpBench } from "./http-bench.ts";
import { httpBodies } from "./http-bodies.ts";
import { httpFields } from "./http-fields.ts";
import { httpWaiting } from "./http-waiting.ts";

/** wasi:http as a client has it, in a guest, on every engine; what is behind the calls is the host's. */
export function httpContract(name: string, createEngine: CreateEngine): void {
  describe(`wasi:http on ${name}`, () => {
    let guest: Uint8Array;
    let harness: CallsHarness;
    beforeAll(async () => {
      guest = await callsGuest();
      harness = createCallsHarness(createEngine, () => guest);
    });
    afterAll(() => harness.close());
    const bench: HttpBench = {
      harness: () => harness,
      run: async (code, calls) => returned(await harness.run(code, calls && { calls })),
    };
    requests(bench);
    httpFields(bench);
    httpBodies(bench);
    httpWaiting(bench);
  });
}

function requests({ run }: HttpBench): void {
  test("sends a request as it was made, and gets its response", async () => {
    const answer = response(404, "not found", [
      ["content-type", "text/plain"],
      ["x-note", "caf\u00e9"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    const { calls, asked } = recording(answer);
    const code = `
      const headers = http.Fields.fromList([["Accept", bytes("*/*")], ["X-Latin", Uint8Array.of(0xe9)]]);
      const request = new http.OutgoingRequest(headers);
      request.setMethod({ tag: "post" });
      request.setScheme({ tag: "HTTPS" });
      request.setAuthority("api.example.com:8443");
      request.setPathWithQuery("/a/b?c=d");
      const body = request.body();
      const stream = body.write();
      stream.blockingWriteAndFlush(bytes("Grüße"));
      stream[Symbol.dispose]();
      http.OutgoingBody.finish(body, null);
      const options = new http.RequestOptions();
      options.setConnectTimeout(1_500_000_000);
      options.setFirstByteTimeout(1);
      const before = [options.connectTimeout(), options.firstByteTimeout(), options.betweenBytesTimeout()];
      const future = outgoing.handle(request, options);
      future.subscribe().block();
      const response = future.get().val.val;
      const incoming = response.consume();
      const input = incoming.stream();
      const read = text(input.blockingRead(1000));
      const end = attempt(() => input.blockingRead(1000)).error.tag;
      return {
        before, status: response.status(), read, end,
        headers: response.headers().entries().map(([name, value]) => [name, [...value]]),
      };`;
    expect(await run(code, calls)).toEqual({
      before: [1_500_000_000, 1, null],
      status: 404,
      read: "not found",
      end: "closed",
      headers: [
        ["content-type", [...Buffer.from("text/plain")]],
        ["x-note", [0x63, 0x61, 0x66, 0xe9]],
        ["set-cookie", [...Buffer.from("a=1")]],
        ["set-cookie", [...Buffer.from("b=2")]],
      ],
    });
    expect(asked).toEqual([
      {
        head: {
          op: "http",
          method: "POST",
          scheme: "https",
          authority: "api.example.com:8443",
          path: "/a/b?c=d",
          headers: [
            ["accept", "*/*"],
            ["x-latin", "\u00e9"],
          ],
          connectTimeoutMs: 1500,
          firstByteTimeoutMs: 1,
        },
        body: "Grüße",
      },
    ]);
  });

  test("sends what was left out by its default: a GET of / by https, without a body", async () => {
    const { calls, asked } = recording();
    const code = `
      const request = new http.OutgoingRequest(new http.Fields());
      const before = [request.method(), request.scheme(), request.authority(), request.pathWithQuery()];
      request.setAuthority("example.com");
      const future = outgoing.handle(request, null);
      future.subscribe().block();
      return [before, future.get().val.val.status()];`;
    expect(await run(code, calls)).toEqual([[{ tag: "get" }, null, null, null], 200]);
    expect(asked).toEqual([
      {
        head: {
          op: "http",
          method: "GET",
          scheme: "https",
          authority: "example.com",
          path: "/",
          headers: [],
        },
        body: "",
      },
    ]);
  });

  test.each([
    ["get", "GET"],
    ["head", "HEAD"],
    ["put", "PUT"],
    ["delete", "DELETE"],
    ["connect", "CONNECT"],
    ["options", "OPTIONS"],
    ["trace", "TRACE"],
    ["patch", "PATCH"],
  ])("names the method %s", async (tag, method) => {
    const { calls, asked } = recording();
    await run(send(`request.setMethod({ tag: "${tag}" });`), calls);
    expect(asked).toMatchObject([{ head: { method } }]);
  });

  test("keeps other methods and schemes as they were given", async () => {
    const code = `
      const request = new http.OutgoingRequest(new http.Fields());
      request.setMethod({ tag: "other", val: "PROPFIND" });
      request.setScheme({ tag: "other", val: "ws+unix" });
      request.setPathWithQuery("?q");
      return [request.method(), request.scheme(), request.pathWithQuery()];`;
    expect(await run(code)).toEqual([
      { tag: "other", val: "PROPFIND" },
      { tag: "other", val: "ws+unix" },
      "?q",
    ]);
  });

  test.each([
    ["setMethod", '{ tag: "other", val: "" }'],
    ["setMethod", '{ tag: "other", val: "GE T" }'],
    ["setMethod", '{ tag: "other", val: "GET\\r\\n" }'],
    ["setScheme", '{ tag: "other", val: "" }'],
    ["setScheme", '{ tag: "other", val: "1a" }'],
    ["setScheme", '{ tag: "other", val: "a:" }'],
    ["setAuthority", '""'],
    ["setAuthority", '"a b"'],
    ["setAuthority", '"example.com:"'],
    ["setAuthority", '"example.com:x"'],
    ["setAuthority", '"example.com:65536"'],
    ["setAuthority", '"example.com/path"'],
    ["setAuthority", '"example.com\\\\@evil"'],
    ["setAuthority", '"user:secret@example.com"'],
    ["setAuthority", '"grüße.example"'],
    ["setAuthority", '"[::1"'],
    ["setAuthority", '"[1]"'],
    ["setAuthority", '"%zz"'],
    ["setAuthority", '"a\\r\\nhost: b"'],
    ["setPathWithQuery", '"a"'],
    ["setPathWithQuery", '"/a b"'],
    ["setPathWithQuery", '"/a#b"'],
    ["setPathWithQuery", '"/ü"'],
    ["setPathWithQuery", '"/\\r\\nx: y"'],
    ["setPathWithQuery", '"//\\u0000"'],
  ])("refuses %s(%s), and keeps what was there", async (method, value) => {
    const code = `
      const request = new http.OutgoingRequest(new http.Fields());
      request.setAuthority("a.example");
      const result = attempt(() => request.${method}(${value}));
      return ["error" in result, request.method().tag, request.scheme(), request.authority(), request.pathWithQuery()];`;
    expect(await run(code)).toEqual([true, "get", null, "a.example", null]);
  });

  test.each([
    "example.com",
    "EXAMPLE.com:1",
    "127.0.0.1:80",
    "[::1]:8080",
    "[2001:db8::1]",
    "a_b~!$&'()*+,;=%20",
  ])("takes the authority %s", async (authority) => {
    const { calls, asked } = recording();
    await run(send(`request.setAuthority(${JSON.stringify(authority)});`), calls);
    expect(asked).toMatchObject([{ head: { authority } }]);
  });

  test.each([
    ["no authority", "request.setAuthority(null);", "HTTP-request-URI-invalid"],
    ["another scheme", 'request.setScheme({ tag: "other", val: "ftp" });', "HTTP-protocol-error"],
  ])("does not send a request with %s", async (_, prepare, error) => {
    const { calls, asked } = recording();
    const code = `
      const request = new http.OutgoingRequest(new http.Fields());
      request.setAuthority("example.com");
      ${prepare}
      return attempt(() => outgoing.handle(request, null)).error.tag;`;
    expect(await run(code, calls)).toBe(error);
    expect(asked).toEqual([]);
  });

  test.each([
    [{ code: "HTTP-request-denied" }, { tag: "HTTP-request-denied" }],
    [{ code: "destination-IP-prohibited" }, { tag: "destination-IP-prohibited" }],
    [{ code: "HTTP-response-body-size" }, { tag: "HTTP-response-body-size", val: null }],
    [
      { code: "DNS-error", detail: "ENOTFOUND" },
      { tag: "DNS-error", val: { rcode: "ENOTFOUND", infoCode: null } },
    ],
    [
      { code: "TLS-alert-received", detail: "bad" },
      { tag: "TLS-alert-received", val: { alertId: null, alertMessage: "bad" } },
    ],
    [
      { code: "internal-error", detail: "it broke" },
      { tag: "internal-error", val: "it broke" },
    ],
    [{ code: "no such case" }, { tag: "internal-error", val: null }],
  ] as const)("gives the guest the error %j", async (answer, error) => {
    const calls = answering({ http: { head: { kind: "http-error", ...answer } } });
    expect(await run(send("", "return future.get().val.val;"), calls)).toEqual(error);
  });

  test("is denied where nobody answers", async () => {
    expect(await run(send("", "return future.get().val.val;"))).toEqual({ tag: "HTTP-request-denied" });
  });
}
