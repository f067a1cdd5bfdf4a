import { describe, expect, test } from "vitest";
import type { HostCalls } from "../../../runtime/wasm/calls.ts";
import { silent } from "./calls-harness.ts";
import { recording, response, send } from "./http-bench.ts";
import type { HttpBench } from "./http-bench.ts";

const begin = `
  const begin = (path) => {
    const request = new http.OutgoingRequest(new http.Fields());
    request.setAuthority("example.com");
    request.setPathWithQuery(path);
    return outgoing.handle(request, null);
  };`;

/** Answers each request by its path: after so many milliseconds, with its path as the body. */
const byPath: HostCalls = async ({ head }) => {
  const path = head.op === "http" ? head.path : "";
  await new Promise((resolve) => setTimeout(resolve, Number(path.slice(1))));
  return response(200, path);
};

/** Waiting for responses, for time, and for several at once. */
export function httpWaiting({ run, harness }: HttpBench): void {
  describe("a future response", () => {
    test("is none before it is there, then is given out once", async () => {
      const code = `${begin}
        const future = begin("/100");
        const pollable = future.subscribe();
        const early = [future.get(), pollable.ready()];
        pollable.block();
        return [early, pollable.ready(), future.get().val.val.status(), future.get(), pollable.ready()];`;
      expect(await run(code, byPath)).toEqual([[null, false], true, 200, { tag: "err" }, true]);
    });

    test("is waited for beside others and time, and what comes first wakes", async () => {
      const code = `${begin}
        const [slow, fast] = [begin("/30000"), begin("/20")];
        const pollables = [slow, fast].map((future) => future.subscribe());
        const first = poll.poll([...pollables, clock.subscribeDuration(20_000_000_000)]);
        const second = poll.poll([pollables[0], clock.subscribeDuration(20_000_000)]);
        return [[...first], [...second], slow.get()];`;
      expect(await run(code, byPath)).toEqual([[1], [1], null]);
    });

    test("may be one of many under way", async () => {
      const code = `${begin}
        const left = Array.from({ length: 100 }, (_, i) => ({ i, future: begin("/" + i % 7) }));
        const bodies = [];
        while (left.length > 0) {
          const pollables = left.map(({ future }) => future.subscribe());
          const ready = new Set(poll.poll(pollables));
          for (const pollable of pollables) pollable[Symbol.dispose]();
          for (const { i, future } of left.filter((_, at) => ready.has(at))) {
            bodies[i] = text(future.get().val.val.consume().stream().blockingRead(100));
          }
          left.splice(0, left.length, ...left.filter((_, at) => !ready.has(at)));
        }
        return bodies;`;
      expect(await run(code, byPath)).toEqual(Array.from({ length: 100 }, (_, i) => `/${i % 7}`));
    });

    test("that nobody waits for is given up with the attempt", async () => {
      const { calls, signals } = silent();
      expect(await run(`${begin} begin("/"); return 1;`, calls)).toBe(1);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });

    test("that is dropped is given up", async () => {
      const { calls, signals } = silent();
      const code = `${begin}
        const dropped = begin("/"), kept = begin("/");
        dropped[Symbol.dispose]();
        clock.subscribeDuration(50_000_000).block();
        log = kept;
        poll.poll([kept.subscribe()]);`;
      const controller = new AbortController();
      const running = harness().run(code, { calls, signal: controller.signal });
      await expect
        .poll(() => signals.map(({ aborted }) => aborted), { timeout: 10_000 })
        .toEqual([true, false]);
      controller.abort();
      expect((await running).ending).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
    });

    test("that is dropped before its body is whole is never asked for", async () => {
      const { calls, asked } = recording();
      const code = `
        const request = new http.OutgoingRequest(new http.Fields());
        request.setAuthority("example.com");
        const body = request.body();
        outgoing.handle(request, null)[Symbol.dispose]();
        http.OutgoingBody.finish(body, null);
        return 1;`;
      expect(await run(code, calls)).toBe(1);
      expect(asked).toEqual([]);
    });

    test("comes before any time passes on clocks that are fixed", async () => {
      const code = `${begin}
        const before = clock.now();
        const first = poll.poll([clock.subscribeDuration(1_000_000_000), begin("/50").subscribe()]);
        return [[...first], clock.now() - before < 1_000_000_000];`;
      const result = await harness().run(code, { calls: byPath, capabilities: { seed: "one" } });
      expect(result.ending).toEqual({ kind: "returned", output: "[[1],true]" });
    });

    test("that never comes ends with the attempt's time", async () => {
      const { calls, signals } = silent();
      const result = await harness().run(send(""), { calls, limits: { wallMs: 300 } });
      expect(result.ending).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });

    test("of a limit that is broken ends the attempt while the guest computes", async () => {
      const message = "The step has more than 1 requests under way.";
      const calls: HostCalls = () =>
        Promise.resolve({ head: { kind: "breach", code: "ERR_STEP_MEMORY", message } });
      const result = await harness().run(`${begin} begin("/"); for (;;);`, { calls });
      expect(result.ending).toMatchObject({ failure: { code: "ERR_STEP_MEMORY", message } });
    });
  });
}
