import { describe, expect, test } from "vitest";
import { recording, response, send } from "./http-bench.ts";
import type { HttpBench } from "./http-bench.ts";

/** Code that makes a request with a body, of headers, and ends in \`then\`; \`write(text)\` writes to it. */
const withBody = (headers: string, then: string): string => `
  const request = new http.OutgoingRequest(http.Fields.fromList(${headers}));
  request.setAuthority("example.com");
  const body = request.body();
  const stream = body.write();
  const write = (content) => stream.blockingWriteAndFlush(bytes(content));
  const outcome = (future) => { future.subscribe().block(); return future.get().val; };
  ${then}`;

/** What becomes of bodies, in either direction. */
export function httpBodies({ run, harness }: HttpBench): void {
  describe("a request's body", () => {
    test("may follow the request, which is sent once it is whole", async () => {
      const { calls, asked } = recording();
      const code = withBody(
        "[]",
        `const future = outgoing.handle(request, null);
         const early = future.get();
         write("one "); write("two");
         stream[Symbol.dispose]();
         http.OutgoingBody.finish(body, null);
         return [early, outcome(future).val.status()];`,
      );
      expect(await run(code, calls)).toEqual([null, 200]);
      expect(asked).toMatchObject([{ body: "one two" }]);
    });

    test("can be had once, and its stream too", async () => {
      const code = withBody(
        "[]",
        `const again = [attempt(() => request.body()), attempt(() => body.write())];
         stream[Symbol.dispose]();
         return again.map((result) => "error" in result);`,
      );
      expect(await run(code)).toEqual([true, true]);
    });

    test("may be of zeroes, or of another's stream", async () => {
      const { calls, asked } = recording(response(200, "from afar"));
      const code = `
        ${withBody("[]", "stream.writeZeroes(3); stream.flush();")}
        stream[Symbol.dispose]();
        http.OutgoingBody.finish(body, null);
        const answer = outcome(outgoing.handle(request, null)).val;
        const input = answer.consume().stream();
        const second = new http.OutgoingRequest(new http.Fields());
        second.setAuthority("example.com");
        const next = second.body(), to = next.write();
        const moved = [to.blockingSplice(input, 5), to.splice(input, 100)];
        const end = attempt(() => to.splice(input, 1)).error.tag;
        to[Symbol.dispose]();
        http.OutgoingBody.finish(next, null);
        return [moved, end, outcome(outgoing.handle(second, null)).val.status()];`;
      expect(await run(code, calls)).toEqual([[5, 4], "closed", 200]);
      expect(asked.map(({ body }) => body)).toEqual(["\0\0\0", "from afar"]);
    });

    test("that is given up fails the request", async () => {
      const { calls, asked } = recording();
      const code = withBody(
        "[]",
        `const future = outgoing.handle(request, null);
         write("half");
         stream[Symbol.dispose]();
         body[Symbol.dispose]();
         return outcome(future).val;`,
      );
      expect(await run(code, calls)).toEqual({ tag: "HTTP-protocol-error" });
      expect(asked).toEqual([]);
    });

    test("of the length that the headers say is sent", async () => {
      const { calls, asked } = recording();
      const code = withBody(
        '[["content-length", bytes("3")]]',
        `write("abc"); stream[Symbol.dispose](); http.OutgoingBody.finish(body, null);
         return outcome(outgoing.handle(request, null)).val.status();`,
      );
      expect(await run(code, calls)).toBe(200);
      expect(asked).toMatchObject([{ body: "abc", head: { headers: [["content-length", "3"]] } }]);
    });

    test("shorter than the headers say is not sent", async () => {
      const { calls, asked } = recording();
      const code = withBody(
        '[["content-length", bytes("4")]]',
        `const future = outgoing.handle(request, null);
         write("abc"); stream[Symbol.dispose]();
         return [attempt(() => http.OutgoingBody.finish(body, null)).error, outcome(future).val];`,
      );
      const error = { tag: "HTTP-request-body-size", val: 3 };
      expect(await run(code, calls)).toEqual([error, error]);
      expect(asked).toEqual([]);
    });

    test("longer than the headers say fails as it is written", async () => {
      const { calls, asked } = recording();
      const code = withBody(
        '[["content-length", bytes("2")]]',
        `const { error } = attempt(() => write("abc"));
         const code = http.httpErrorCode(error.val);
         const said = error.val.toDebugString().length > 0;
         const again = attempt(() => write("a")).error.tag;
         stream[Symbol.dispose]();
         const finished = attempt(() => http.OutgoingBody.finish(body, null)).error;
         return [error.tag, code, said, again, finished, outcome(outgoing.handle(request, null)).val];`,
      );
      const error = { tag: "HTTP-request-body-size", val: 2 };
      expect(await run(code, calls)).toEqual(["last-operation-failed", error, true, "closed", error, error]);
      expect(asked).toEqual([]);
    });

    test("larger than its limit ends the attempt as it is written, whatever the guest does", async () => {
      const { calls, asked } = recording();
      const code = withBody("[]", 'for (;;) { try { write("0123456789"); } catch {} }');
      const result = await harness().run(code, { calls, limits: { httpBodyBytes: 95 } });
      expect(result.ending).toMatchObject({
        failure: {
          code: "ERR_STEP_HTTP_TOO_LARGE",
          message: "The body of an HTTP request had 100 bytes or more, over the limit of 95.",
        },
      });
      expect(asked).toEqual([]);
    });

    test.each(["-1", "1x", "1, 2", ""])("has no length %j", async (length) => {
      const code = `
        const fields = http.Fields.fromList([["content-length", bytes(${JSON.stringify(length)})]]);
        const request = new http.OutgoingRequest(fields);
        return "error" in attempt(() => request.body());`;
      expect(await run(code)).toBe(true);
    });

    test("that the headers announce and that is not there is an error", async () => {
      const code = `
        const request = new http.OutgoingRequest(http.Fields.fromList([["content-length", bytes("1")]]));
        request.setAuthority("example.com");
        return attempt(() => outgoing.handle(request, null)).error;`;
      expect(await run(code)).toEqual({ tag: "HTTP-request-body-size", val: 0 });
    });

    test("has no trailers but empty ones", async () => {
      const { calls, asked } = recording();
      const code = (fields: string): string =>
        withBody(
          "[]",
          `stream[Symbol.dispose]();
           const result = attempt(() => http.OutgoingBody.finish(body, http.Fields.fromList(${fields})));
           const { tag, val } = outcome(outgoing.handle(request, null));
           return [result, tag, tag === "ok" ? null : val];`,
        );
      expect(await run(code("[]"), calls)).toEqual([{ ok: null }, "ok", null]);
      const error = { tag: "internal-error", val: "Requests of a step have no trailers." };
      expect(await run(code('[["a", bytes("1")]]'), calls)).toEqual([{ error }, "err", error]);
      expect(asked.length).toBe(1);
    });

    test("outlives its stream: finished before, it ends the guest", async () => {
      const code = withBody("[]", "http.OutgoingBody.finish(body, null);");
      expect((await harness().run(code)).ending).toMatchObject({ failure: { code: "ERR_STEP_TRAP" } });
    });
  });

  describe("a response's body", () => {
    test("can be had once, and its stream too", async () => {
      const { calls } = recording(response(200, "x"));
      const code = send(
        "",
        `const response = future.get().val.val;
         const body = response.consume();
         const stream = body.stream();
         return [attempt(() => response.consume()), attempt(() => body.stream())].map((result) => "error" in result);`,
      );
      expect(await run(code, calls)).toEqual([true, true]);
    });

    test("is read piece by piece, and skipped", async () => {
      const { calls } = recording(response(200, "0123456789"));
      const code = send(
        "",
        `const response = future.get().val.val;
         const stream = response.consume().stream();
         stream.subscribe().block();
         return [stream.read(2), stream.blockingSkip(3), stream.blockingRead(100), attempt(() => stream.read(1)).error.tag];`,
      );
      expect(await run(code, calls)).toEqual([{ bytes: "01" }, 3, { bytes: "56789" }, "closed"]);
    });

    test("ends in trailers, of which there are none, once", async () => {
      const { calls } = recording(response(200, "x"));
      const code = send(
        "",
        `const body = future.get().val.val.consume();
         const trailers = http.IncomingBody.finish(body);
         trailers.subscribe().block();
         return [trailers.get(), trailers.get()];`,
      );
      expect(await run(code, calls)).toEqual([{ tag: "ok", val: { tag: "ok", val: null } }, { tag: "err" }]);
    });

    test("outlives its stream: finished before, it ends the guest", async () => {
      const { calls } = recording(response(200, "x"));
      const code = send(
        "",
        `const body = future.get().val.val.consume();
         const stream = body.stream();
         http.IncomingBody.finish(body);`,
      );
      expect((await harness().run(code, { calls })).ending).toMatchObject({
        failure: { code: "ERR_STEP_TRAP" },
      });
    });
  });
}
