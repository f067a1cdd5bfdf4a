import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen, listenRaw } from "../../egress/servers.ts";
import type { CreateEngine } from "../harness.ts";
import { createOutsideHarness, granted } from "./outside.ts";
import type { OutsideHarness } from "./outside.ts";

/** What a step may do with requests and keys that it was granted to harm its host, and what servers may do to it. */
export function requestAttacks(createEngine: CreateEngine): void {
  describe("to use up the host", () => {
    let harness: OutsideHarness;
    beforeAll(async () => {
      harness = await createOutsideHarness(createEngine);
    });
    afterAll(() => harness.close());

    test("by more requests at once than it may", async () => {
      let most = 0;
      const open = new Set<Socket>();
      const { port } = await listen(({ socket }) => {
        open.add(socket);
        most = Math.max(most, open.size);
        socket.once("close", () => open.delete(socket));
      });
      const code = `
        const all = [];
        for (let count = 0; count < 1000; count++) all.push(begin("good.example:${port}", { path: "/" + count }));
        poll.poll(all.map(({ future }) => future.subscribe()));
        return 1;`;
      const given = { http: [granted(port, "good.example")], limits: { httpConcurrent: 5 } };
      expect(await harness.run(code, given)).toMatchObject({
        failure: {
          code: "ERR_STEP_HTTP_REQUESTS",
          message: "The attempt had 6 HTTP requests under way at once, over the limit of 5.",
        },
      });
      await expect.poll(() => open.size).toBe(0);
      expect(most).toBeLessThanOrEqual(5);
    });

    test("by responses that it never takes", async () => {
      const { port } = await listen((_, response) => response.end(Buffer.alloc(500_000)));
      const code = `
        const all = [];
        for (let count = 0; count < 1000; count++) {
          const { future } = begin("good.example:${port}");
          future.subscribe().block();
          all.push(future);
        }
        return 1;`;
      expect(await harness.run(code, { http: [granted(port, "good.example")] })).toMatchObject({
        failure: { code: "ERR_STEP_MEMORY" },
      });
    });

    test.each([
      ["headers", `all.push(http.Fields.fromList([["a", new Uint8Array(100_000).fill(97)]]));`],
      [
        "copies of headers",
        `all[0] ??= http.Fields.fromList([["a", new Uint8Array(100_000).fill(97)]]); all.push(all[0].clone());`,
      ],
      [
        "requests",
        `const request = new http.OutgoingRequest(new http.Fields()); request.setPathWithQuery("/" + "a".repeat(100_000)); all.push(request);`,
      ],
      [
        "bodies",
        `const request = new http.OutgoingRequest(new http.Fields()); const body = request.body(); const stream = body.write(); stream.writeZeroes(500_000); all.push(request, body, stream);`,
      ],
      ["buckets", `all.push(store.open("a".repeat(100_000)));`],
    ])("by %s that it keeps", async (_, make) => {
      const code = `const all = []; for (let count = 0; count < 5000; count++) { ${make} } return 1;`;
      expect(await harness.run(code)).toMatchObject({ failure: { code: "ERR_STEP_MEMORY" } });
    });

    test("by a body over the limit, which is sent nowhere", async () => {
      const { port, received } = await listen((_, response) => response.end());
      const code = `ask("good.example:${port}", { method: "POST", body: "x".repeat(200_000) }); return 1;`;
      const given = { http: [granted(port, "good.example")], limits: { httpBodyBytes: 100_000 } };
      expect(await harness.run(code, given)).toMatchObject({
        failure: {
          code: "ERR_STEP_HTTP_TOO_LARGE",
          message: expect.stringMatching(/request had \d{6} bytes or more, over the limit of 100000\.$/),
        },
      });
      expect(received).toEqual([]);
    });

    test("by requests that outlive it", async () => {
      const gone: Promise<void>[] = [];
      const { port, received } = await listen(({ socket }) => {
        gone.push(new Promise((resolve) => void socket.once("close", () => resolve())));
      });
      const http = [granted(port, "good.example")];
      const code = `
        const all = [1, 2, 3].map(() => begin("good.example:${port}"));
        clock.subscribeDuration(100_000_000).block();
        return all.length;`;
      expect(await harness.output(code, { http })).toBe(3);
      await Promise.all(gone);
      expect(received.length).toBeLessThanOrEqual(3);
      expect(await harness.output("return 1;")).toBe(1);
    });

    test("by values, keys and buckets that are too large, too many or not its own", async () => {
      const code = (text: string) => `const bucket = store.open("default"); ${text}`;
      expect(
        await harness.output(
          code(`
            bucket.set("mine", bytes("1"));
            bucket.set("most", bytes("9223372036854775807"));
            return [
              () => bucket.set("a", new Uint8Array(65_537)), () => bucket.set("a".repeat(513), bytes("")),
              () => bucket.set("", bytes("")), () => store.open("other").get("a"),
              () => store.open("../victim").get("a"), () => store.open("victim").get("mine"),
              () => atomics.increment(bucket, "most", 1),
            ].map((action) => attempt(action).error.tag);`),
          { functionId: "attacker" },
        ),
      ).toEqual(["other", "other", "other", "no-such-store", "no-such-store", "no-such-store", "other"]);
      expect(
        await harness.output(code(`return [bucket.listKeys(null).keys, bucket.get("mine")];`), {
          functionId: "victim",
        }),
      ).toEqual([[], null]);
    });
  });

  describe("to go on although its server does not", () => {
    let harness: OutsideHarness;
    beforeAll(async () => {
      harness = await createOutsideHarness(createEngine);
    });
    afterAll(() => harness.close());
    const run = (port: number) =>
      harness.run(`return ask("good.example:${port}").error;`, {
        http: [granted(port, "good.example")],
        limits: { wallMs: 1_000, httpBodyBytes: 100_000 },
      });

    test.each<[string, (socket: Socket) => void, object]>([
      ["a server that says nothing", () => undefined, { failure: { code: "ERR_STEP_TIMEOUT" } }],
      [
        "one that sends a byte now and then",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
          const timer = setInterval(() => socket.write("x"), 50);
          socket.once("close", () => clearInterval(timer));
        },
        { failure: { code: "ERR_STEP_TIMEOUT" } },
      ],
      [
        "a header now and then",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\n");
          const timer = setInterval(() => socket.write("x: y\r\n"), 50);
          socket.once("close", () => clearInterval(timer));
        },
        { failure: { code: "ERR_STEP_TIMEOUT" } },
      ],
      [
        "an endless body",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          const more = (): void => {
            while (!socket.destroyed && socket.write(Buffer.alloc(10_000)));
          };
          socket.on("drain", more);
          more();
        },
        { failure: { code: "ERR_STEP_HTTP_TOO_LARGE", message: expect.stringContaining("response had") } },
      ],
      [
        "a body that says that it is endless",
        (socket) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${"9".repeat(15)}\r\n\r\n`),
        { failure: { code: "ERR_STEP_HTTP_TOO_LARGE", message: expect.stringContaining("9".repeat(15)) } },
      ],
      [
        "chunks without an end",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
          const more = (): void => {
            while (!socket.destroyed && socket.write(`3e8\r\n${"x".repeat(1000)}\r\n`));
          };
          socket.on("drain", more);
          more();
        },
        { failure: { code: "ERR_STEP_HTTP_TOO_LARGE" } },
      ],
      [
        "endless headers",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\n");
          const more = (): void => {
            while (!socket.destroyed && socket.write(`x: ${"y".repeat(1000)}\r\n`));
          };
          socket.on("drain", more);
          more();
        },
        { output: "HTTP-response-header-section-size" },
      ],
      ["nonsense", (socket) => socket.write("\0\xff\r\n\r\n", "latin1"), { output: "HTTP-protocol-error" }],
      [
        "a body cut short",
        (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
        { output: "HTTP-response-incomplete" },
      ],
      ["nothing before it hangs up", (socket) => socket.end(), { output: "connection-terminated" }],
      [
        "interim responses without an end",
        (socket) => {
          const more = (): void => {
            while (!socket.destroyed && socket.write("HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"));
          };
          socket.on("drain", more);
          more();
        },
        { failure: { code: "ERR_STEP_TIMEOUT" } },
      ],
      [
        "another protocol",
        (socket) =>
          socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
        { output: "connection-terminated" },
      ],
    ])("with %s", async (_, serve, expected) => {
      const closed: Promise<void>[] = [];
      const { port } = await listenRaw((_text, socket) => {
        closed.push(new Promise((resolve) => void socket.once("close", () => resolve())));
        serve(socket);
      });
      expect(await run(port)).toMatchObject(expected);
      // Nothing of it is left: the connection is closed, and the host as quick as ever.
      await Promise.all(closed);
      expect(await harness.output("return 1;")).toBe(1);
    });
  });
}
