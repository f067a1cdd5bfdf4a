import { describe, expect, test } from "vitest";
import type { HttpGrantDocument } from "../../../host/function/capabilities.ts";
import type { HttpGrant } from "../../../runtime/capabilities.ts";
import type { EgressRequest } from "../../../runtime/egress/egress.ts";
import { codeOf, egressTo, get, hello, local, send } from "./egress-fixture.ts";

describe("a request that is not granted", () => {
  test.each<[string, (port: number) => HttpGrantDocument[], (port: number) => Partial<EgressRequest>]>([
    ["for want of any grant", () => [], () => ({})],
    ["to another port", (port) => [local(port + 1)], () => ({})],
    ["by another scheme", (port) => [{ host: `127.0.0.1:${port}`, private: true }], () => ({})],
    ["by another method", (port) => [{ ...local(port), methods: ["GET"] }], () => ({ method: "POST" })],
    [
      "by a method in other letters",
      (port) => [{ ...local(port), methods: ["GET"] }],
      () => ({ method: "get" }),
    ],
    ["to another host", (port) => [local(port, "localhost")], () => ({})],
    [
      "to a host with a dot at its end",
      (port) => [local(port, "localhost")],
      (port) => ({ authority: `localhost.:${port}` }),
    ],
    [
      "to a host below it",
      (port) => [local(port, "localhost")],
      (port) => ({ authority: `a.localhost:${port}` }),
    ],
  ])("is refused: %s", async (_, grants, more) => {
    const { port, received } = await hello();
    const outcome = await send(egressTo(grants(port)), get(`127.0.0.1:${port}`, more(port)));
    expect(codeOf(outcome)).toBe("HTTP-request-denied");
    expect(received).toEqual([]);
  });
});

describe("an address that no grant gives", () => {
  const everywhere = (port: number): HttpGrant => ({
    scheme: "http",
    host: "*",
    ports: [port],
    private: false,
  });

  test.each([
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "10.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
  ])("is refused in any notation: %s", async (host) => {
    const { port, received } = await hello();
    const egress = egressTo([], { grants: [everywhere(port)] });
    expect(codeOf(await send(egress, get(`${host}:${port}`)))).toBe("destination-IP-prohibited");
    expect(received).toEqual([]);
  });

  test.each([
    ["127.0.0.1"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["169.254.169.254"],
    ["10.0.0.1"],
    ["fd00:ec2::254"],
    ["64:ff9b::7f00:1"],
    ["0.0.0.0"],
    [],
  ])("is refused behind a name: %s", async (...addresses) => {
    const { port, received } = await hello();
    const resolve = () => Promise.resolve(addresses);
    const egress = egressTo([], { grants: [everywhere(port)], resolve });
    expect(codeOf(await send(egress, get(`innocent.example:${port}`)))).toBe("destination-IP-prohibited");
    expect(received).toEqual([]);
  });

  test("is refused as localhost, by the system's own resolver", async () => {
    const { port, received } = await hello();
    const egress = egressTo([], { grants: [everywhere(port)] });
    expect(codeOf(await send(egress, get(`localhost:${port}`)))).toBe("destination-IP-prohibited");
    expect(received).toEqual([]);
  });

  test("stays unreached when a name has another one the second time it is asked for", async () => {
    const { port, received } = await hello();
    let asked = 0;
    // The first is nobody's here: what counts is that no second answer is taken for it.
    const resolve = () => Promise.resolve(asked++ === 0 ? ["192.31.196.1"] : ["127.0.0.1"]);
    const egress = egressTo([], { grants: [everywhere(port)], resolve });
    const outcome = await send(egress, get(`rebind.example:${port}`, { connectTimeoutMs: 256 }));
    expect(outcome.ok).toBe(false);
    expect(codeOf(outcome)).not.toBe("destination-IP-prohibited");
    expect(asked).toBe(1);
    // The next connection asks once more, and checks what it is told.
    expect(codeOf(await send(egress, get(`rebind.example:${port}`)))).toBe("destination-IP-prohibited");
    expect(received).toEqual([]);
  });

  test("is left out when a name has others", async () => {
    const first = await hello();
    const resolve = () => Promise.resolve(["169.254.169.254", "0.0.0.0", "127.0.0.1"]);
    const egress = egressTo([local(first.port, "some.example")], { resolve });
    expect(codeOf(await send(egress, get(`some.example:${first.port}`)))).toBe("200");
  });

  test("is refused though it is link-local and the grant is private, unless the grant names it", async () => {
    const resolve = () => Promise.resolve(["169.254.169.254"]);
    const named = egressTo([local(80, "metadata.example")], { resolve });
    expect(codeOf(await send(named, get("metadata.example")))).toBe("destination-IP-prohibited");
    const literal = egressTo([local(80, "169.254.169.254")]);
    const outcome = await send(literal, get("169.254.169.254", { connectTimeoutMs: 64 }));
    expect(codeOf(outcome)).not.toMatch(/prohibited|denied/);
  });

  test("is not reached by a connection that another grant made", async () => {
    const { port, received } = await hello();
    const resolve = () => Promise.resolve(["127.0.0.1"]);
    const host = `http://a.example:${port}`;
    const egress = egressTo(
      [
        { host, methods: ["GET"], private: true },
        { host, methods: ["POST"] },
      ],
      {
        resolve,
      },
    );
    expect(codeOf(await send(egress, get(`a.example:${port}`)))).toBe("200");
    expect(codeOf(await send(egress, get(`a.example:${port}`, { method: "POST" })))).toBe(
      "destination-IP-prohibited",
    );
    expect(received.length).toBe(1);
  });
});

describe("a request that is none", () => {
  test.each<[string, Partial<EgressRequest>, string]>([
    ["a user in the authority", { authority: "user:pw@127.0.0.1" }, "HTTP-request-URI-invalid"],
    ["a path in the authority", { authority: "127.0.0.1/x" }, "HTTP-request-URI-invalid"],
    ["a backslash in the authority", { authority: "127.0.0.1\\@x" }, "HTTP-request-URI-invalid"],
    ["a line break in the authority", { authority: "127.0.0.1\r\nx: y" }, "HTTP-request-URI-invalid"],
    ["a percent sign in the authority", { authority: "%31%32%37.0.0.1" }, "HTTP-request-URI-invalid"],
    ["no authority", { authority: "" }, "HTTP-request-URI-invalid"],
    ["two ports", { authority: "127.0.0.1:80:80" }, "HTTP-request-URI-invalid"],
    ["a port that is none", { authority: "127.0.0.1:99999" }, "HTTP-request-URI-invalid"],
    ["a path without a slash", { path: "x" }, "HTTP-request-URI-invalid"],
    ["no path", { path: "" }, "HTTP-request-URI-invalid"],
    ["a whole URL for a path", { path: "http://169.254.169.254/" }, "HTTP-request-URI-invalid"],
    ["a space in the path", { path: "/ HTTP/1.1" }, "HTTP-request-URI-invalid"],
    ["a line break in the path", { path: "/\r\nHost:x" }, "HTTP-request-URI-invalid"],
    ["a letter of another script in the path", { path: "/\u010d\u010a" }, "HTTP-request-URI-invalid"],
    ["a fragment", { path: "/a#b" }, "HTTP-request-URI-invalid"],
    ["a path of 10,000 characters", { path: `/${"a".repeat(10_000)}` }, "HTTP-request-URI-too-long"],
    ["CONNECT", { method: "CONNECT" }, "HTTP-request-method-invalid"],
    ["connect", { method: "connect" }, "HTTP-request-method-invalid"],
    ["TRACE", { method: "TRACE" }, "HTTP-request-method-invalid"],
    ["two words for a method", { method: "GET /x" }, "HTTP-request-method-invalid"],
    ["no method", { method: "" }, "HTTP-request-method-invalid"],
    ["a host header", { headers: [["host", "evil.example"]] }, "HTTP-request-denied"],
    ["a Host header", { headers: [["Host", "evil.example"]] }, "HTTP-request-denied"],
    ["transfer-encoding", { headers: [["transfer-encoding", "chunked"]] }, "HTTP-request-denied"],
    ["connection", { headers: [["connection", "upgrade"]] }, "HTTP-request-denied"],
    ["upgrade", { headers: [["upgrade", "h2c"]] }, "HTTP-request-denied"],
    ["te", { headers: [["te", "trailers"]] }, "HTTP-request-denied"],
    ["expect", { headers: [["expect", "100-continue"]] }, "HTTP-request-denied"],
    ["proxy-authorization", { headers: [["proxy-authorization", "x"]] }, "HTTP-request-denied"],
    ["a line break in a header", { headers: [["x", "y\r\nhost: z"]] }, "HTTP-protocol-error"],
    ["a lone line feed in a header", { headers: [["x", "y\nz: z"]] }, "HTTP-protocol-error"],
    ["NUL in a header", { headers: [["x", "\0"]] }, "HTTP-protocol-error"],
    ["a character beyond Latin-1 in a header", { headers: [["x", "\u010d"]] }, "HTTP-protocol-error"],
    ["a line break in a header's name", { headers: [["x\r\ny", "z"]] }, "HTTP-protocol-error"],
    ["a colon in a header's name", { headers: [["host:", "z"]] }, "HTTP-protocol-error"],
    ["a space behind a header's name", { headers: [["host ", "z"]] }, "HTTP-protocol-error"],
    ["a header without a name", { headers: [["", "z"]] }, "HTTP-protocol-error"],
    ["another content-length", { headers: [["content-length", "5"]] }, "HTTP-request-body-size"],
    ["content-length with a sign", { headers: [["content-length", "+0"]] }, "HTTP-request-body-size"],
    [
      "two content-lengths",
      {
        headers: [
          ["content-length", "0"],
          ["content-length", "1"],
        ],
      },
      "HTTP-request-body-size",
    ],
    ["headers of 70 KB", { headers: [["x", "y".repeat(70_000)]] }, "HTTP-request-header-section-size"],
  ])("is refused: %s", async (_, more, code) => {
    const { port, received } = await hello();
    const egress = egressTo([local(port), local(80)]);
    expect(codeOf(await send(egress, get(`127.0.0.1:${port}`, more)))).toBe(code);
    expect(received).toEqual([]);
  });
});
