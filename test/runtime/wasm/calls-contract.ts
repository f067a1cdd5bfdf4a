import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostAnswer, HostCalls, WithBytes } from "../../../runtime/wasm/calls.ts";
import { callsGuest } from "./calls-guest.ts";
import { answering, createCallsHarness, returned, silent } from "./calls-harness.ts";
import type { CallsHarness } from "./calls-harness.ts";
import type { CreateEngine } from "./harness.ts";

/** The engine may have to compile the guest first. */
const patient = { timeout: 30_000 };
const get = `return store.open("default").get("k");`;
const value = (text: string): WithBytes<HostAnswer> => ({
  head: { kind: "value", found: true, revision: "1" },
  bytes: Buffer.from(text),
});

/** How calls go from a guest to the host and back, on every engine; kv.get stands for all of them. */
export function callsContract(name: string, createEngine: CreateEngine): void {
  describe(`calls to the host on ${name}`, () => {
    let guest: Uint8Array;
    let harness: CallsHarness;
    beforeAll(async () => {
      guest = await callsGuest();
      harness = createCallsHarness(createEngine, () => guest);
    });
    afterAll(() => harness.close());
    /** What comes after an attempt that ended in a call: the next one is as ever. */
    const works = async (): Promise<void> => {
      expect(returned(await harness.run(get, { calls: answering({ "kv.get": value("on") }) }))).toEqual({
        bytes: "on",
      });
    };

    test("carry bytes of every kind there and back, large ones too", async () => {
      const bytes = new Uint8Array(3_000_000).map((_, index) => index);
      let seen: Uint8Array | undefined;
      const calls: HostCalls = ({ head, bytes: sent }) => {
        if (head.op === "kv.set") {
          seen = Uint8Array.from(sent ?? []);
          return Promise.resolve({ head: { kind: "done", changed: true } });
        }
        return Promise.resolve({ head: { kind: "value", found: true, revision: "1" }, bytes });
      };
      const code = `
        const bucket = store.open("default");
        const value = bucket.get("k");
        bucket.set("k", value);
        return [value.length, value[255], value[256], value[2_999_999]];`;
      expect(returned(await harness.run(code, { calls }))).toEqual([3_000_000, 255, 0, 2_999_999 % 256]);
      expect(seen).toEqual(bytes);
    });

    test("carry texts that JSON has to escape", async () => {
      const keys: string[] = [];
      const calls: HostCalls = ({ head }) => {
        if ("key" in head) keys.push(head.key);
        return Promise.resolve({ head: { kind: "value", found: false } });
      };
      const key = 'a"\\\u0000\u2028\u{1f44b}</script>';
      await harness.run(`return store.open("").get(${JSON.stringify(key)});`, { calls });
      expect(keys).toEqual([key]);
    });

    test("wait as long as the answer takes, and others run meanwhile", async () => {
      let answer: (() => void) | undefined;
      const calls: HostCalls = () => new Promise((resolve) => (answer = () => resolve(value("late"))));
      const waiting = harness.run(get, { calls });
      await expect.poll(() => answer, patient).toBeDefined();
      await works();
      answer?.();
      expect(returned(await waiting)).toEqual({ bytes: "late" });
    });

    test("are the wall time of the attempt, which ends in them", async () => {
      const { calls, signals } = silent();
      const { ending } = await harness.run(get, { calls, limits: { wallMs: 300 } });
      expect(ending).toMatchObject({
        failure: { code: "ERR_STEP_TIMEOUT", message: "The attempt took longer than 300 ms." },
      });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      await works();
    });

    test("end when the attempt is cancelled", async () => {
      const { calls, signals } = silent();
      const controller = new AbortController();
      const running = harness.run(get, { calls, signal: controller.signal });
      await expect.poll(() => signals.length, patient).toBe(1);
      expect(signals[0]?.aborted).toBe(false);
      controller.abort();
      expect((await running).ending).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      expect(signals[0]?.aborted).toBe(true);
      await works();
    });

    test("end when the engine closes", async () => {
      const other = createCallsHarness(createEngine, () => guest);
      const { calls, signals } = silent();
      const running = other.run(get, { calls });
      await expect.poll(() => signals.length, patient).toBe(1);
      await other.close();
      expect((await running).ending).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      expect(signals[0]?.aborted).toBe(true);
    });

    test("whose answer comes too late change nothing", async () => {
      const answers: (() => void)[] = [];
      const calls: HostCalls = () => new Promise((resolve) => answers.push(() => resolve(value("late"))));
      const { ending } = await harness.run(get, { calls, limits: { wallMs: 300 } });
      expect(ending).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
      for (const answer of answers) answer();
      await works();
    });

    test("that break a limit end the attempt, whatever the guest does", async () => {
      const message = "The step sent more than 3 requests.";
      const calls: HostCalls = () =>
        Promise.resolve({ head: { kind: "breach", code: "ERR_STEP_OUTPUT_TOO_LARGE", message } });
      const code = `for (;;) { try { store.open("default").get("k"); } catch {} }`;
      expect((await harness.run(code, { calls })).ending).toEqual({
        kind: "ended",
        failure: { code: "ERR_STEP_OUTPUT_TOO_LARGE", message, retry: false },
      });
      await works();
    });

    test("that the host fails to answer are a failure of the engine", async () => {
      const calls: HostCalls = () => Promise.reject(new Error("the host is broken"));
      await expect(harness.run(get, { calls })).rejects.toThrow("the host is broken");
      await works();
    });

    test("answered with more than the memory of the step end it", async () => {
      const bytes = new Uint8Array(40 * 1024 * 1024);
      const calls = answering({ "kv.get": { head: { kind: "value", found: true }, bytes } });
      const { ending } = await harness.run(get, { calls, limits: { memoryBytes: 32 * 1024 * 1024 } });
      expect(ending).toMatchObject({ failure: { code: "ERR_STEP_MEMORY" } });
      await works();
    });

    test("of many attempts don't mix", async () => {
      const calls: HostCalls = async ({ head }) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return value("key" in head ? head.key : "");
      };
      const code = `const bucket = store.open("default"); let all = "";
        for (let i = 0; i < 20; i++) all += text(bucket.get(KEY + i)) + " "; return all;`;
      const runs = Array.from({ length: 50 }, async (_, run) =>
        returned(await harness.run(code.replace("KEY", `"${run}-"`), { calls, limits: { wallMs: 60_000 } })),
      );
      for (const [run, all] of (await Promise.all(runs)).entries()) {
        expect(all).toBe(Array.from({ length: 20 }, (_, call) => `${run}-${call} `).join(""));
      }
    });
  });
}
