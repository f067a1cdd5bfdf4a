import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen, listenRaw } from "../../egress/servers.ts";
import type { CreateEngine } from "../harness.ts";
import { createOutsideHarness, everywhere, granted } from "./outside.ts";
import type { Answers, OutsideHarness } from "./outside.ts";

/** What a step with `http` may try to reach beyond its grants. */
export function networkGrantAttacks(createEngine: CreateEngine): void {
  describe("to reach more than its grants", () => {
    let harness: OutsideHarness;
    beforeAll(async () => {
      harness = await createOutsideHarness(createEngine);
    });
    afterAll(() => harness.close());

    test.each([
      "127.0.0.1",
      "127.1",
      "0x7f.1",
      "0177.0.0.1",
      "2130706433",
      "0x7f000001",
      "0.0.0.0",
      "0",
      "localhost",
      "LOCALHOST",
      "localhost.",
      "127.0.0.1.",
      "[::1]",
      "[::]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[0:0:0:0:0:ffff:7f00:1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::1]",
      "[::127.0.0.1]",
      "%31%32%37.0.0.1",
      "169.254.169.254",
      "[fd00:ec2::254]",
      "[fe80::1]",
      "169.254.170.2",
      "100.100.100.200",
      "192.0.0.192",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.0.1",
      "metadata.google.internal",
      "loopback.example",
      "user@127.0.0.1",
      "example.com#@127.0.0.1",
      "example.com\\@127.0.0.1",
      "127.0.0.1:80:",
      "127.0.0.1\t",
    ])("by the name %s", async (host) => {
      const { port, received } = await listen((_, response) => response.end("reached"));
      const answers: Answers = {
        "metadata.google.internal": () => ["169.254.169.254"],
        "loopback.example": () => ["::1", "127.0.0.1"],
      };
      const code = `return ask(${JSON.stringify(`${host}:${port}`)}).error;`;
      expect(await harness.output(code, { http: [everywhere(port)], answers })).toMatch(
        /^(?:destination-IP-prohibited|HTTP-request-URI-invalid|HTTP-request-denied)$/,
      );
      expect(received).toEqual([]);
    });

    test("by a name that means another address the second time", async () => {
      const { port, received } = await listen((_, response) => response.end("reached"));
      // No server is at the first address; what counts is that the second is not taken for it.
      const answers: Answers = {
        "rebind.example": (time) => (time === 0 ? ["192.31.196.1"] : ["127.0.0.1"]),
      };
      const code = `
        const options = new http.RequestOptions();
        options.setConnectTimeout(200_000_000);
        const request = new http.OutgoingRequest(new http.Fields());
        request.setScheme({ tag: "HTTP" });
        request.setAuthority("rebind.example:${port}");
        const future = outgoing.handle(request, options);
        future.subscribe().block();
        return [future.get().val.tag, ...[1, 2, 3].map(() => ask("rebind.example:${port}").error)];`;
      expect(await harness.output(code, { http: [everywhere(port)], answers })).toEqual([
        "err",
        ...Array.from({ length: 3 }, () => "destination-IP-prohibited"),
      ]);
      expect(received).toEqual([]);
    });

    test("by a redirect of a host that it may reach", async () => {
      const inside = await listen((_, response) => response.end("reached"));
      const { port } = await listen((request, response) =>
        response.writeHead(307, { location: `http://${request.url?.slice(1)}` }).end(),
      );
      const code = `
        return ["127.0.0.1:${inside.port}", "169.254.169.254:${inside.port}"].map((target) => {
          const first = ask("good.example:${port}", { path: "/" + target });
          const { host } = { host: first.headers.location.slice("http://".length) };
          return [first.status, host, ask(host).error];
        });`;
      const http = [granted(port, "good.example"), everywhere(inside.port)];
      expect(await harness.output(code, { http })).toEqual([
        [307, `127.0.0.1:${inside.port}`, "destination-IP-prohibited"],
        [307, `169.254.169.254:${inside.port}`, "destination-IP-prohibited"],
      ]);
      expect(inside.received).toEqual([]);
    });

    test("by another scheme, port, method or name than it was granted", async () => {
      const one = await listen((_, response) => response.end("reached"));
      const other = await listen((_, response) => response.end("reached"));
      const code = `
        const [one, other] = [${one.port}, ${other.port}];
        return [
          ask("good.example:" + other), ask("good.example:" + one, { scheme: "HTTPS" }),
          ask("good.example:" + one, { method: "DELETE" }), ask("good.example:" + one, { method: "get" }),
          ask("sub.good.example:" + one), ask("good.example.evil.example:" + one), ask("evilgood.example:" + one),
          ask("good.example"), ask("127.0.0.1:" + one),
        ].map(({ error }) => error);`;
      const http = [{ host: `http://good.example:${one.port}`, methods: ["GET"], private: true }];
      expect(await harness.output(code, { http })).toEqual(
        Array.from({ length: 9 }, () => "HTTP-request-denied"),
      );
      expect([...one.received, ...other.received]).toEqual([]);
    });

    test("by a request within a request", async () => {
      const { port, received } = await listenRaw(() => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      const hidden = "x\r\n\r\nGET /hidden HTTP/1.1\r\nhost: evil.example\r\n\r\n";
      const code = `
        const target = "good.example:${port}";
        const hidden = ${JSON.stringify(hidden)};
        return [
          ask(target, { headers: [["x-a", hidden], ["x\\r\\ny", "z"], ["x: y", "z"], ["x ", "y"], ["", "z"]] }),
          ask(target, { headers: [["host", "evil.example"], ["Host", "evil.example"]] }),
          ask(target, { headers: [["transfer-encoding", "chunked"], ["connection", "x-a"], ["upgrade", "h2c"]], body: "0\\r\\n" }),
          ask(target, { headers: [["content-length", "0"]], method: "POST" }),
          ask(target, { path: "/ HTTP/1.1\\r\\nx: y" }), ask(target, { path: "/\\u010d\\u010a" }),
          ask(target, { path: "http://169.254.169.254/" }), ask(target, { path: "//evil.example/" }),
          ask(target, { method: "GET / HTTP/1.1\\r\\nx: y" }), ask(target, { method: "CONNECT" }),
          ask(target + "\\r\\nx: y"),
        ].map(({ refused, status, error }) => [refused.length, status ?? error]);`;
      expect(await harness.output(code, { http: [granted(port, "good.example")] })).toEqual([
        [5, 200],
        [2, 200],
        [3, 200],
        [0, 200],
        [1, 200],
        [1, 200],
        [1, 200],
        [0, 200],
        [1, 200],
        [0, "HTTP-request-method-invalid"],
        [1, "HTTP-request-URI-invalid"],
      ]);
      const ordinary = `GET / HTTP/1.1 host: good.example:${port} connection: keep-alive`;
      const requests = received.map((request) =>
        request
          .trim()
          .split(/(?:\r\n)+/)
          .join(" "),
      );
      expect(requests).toEqual([
        ordinary,
        ordinary,
        `${ordinary} content-length: 3 0`,
        `${ordinary.replace("GET", "POST")} content-length: 0`,
        ordinary,
        ordinary,
        ordinary,
        ordinary.replace("/", "//evil.example/"),
        ordinary,
      ]);
    });
  });
}
