import { describe, expect, test } from "vitest";
import { listen } from "../../runtime/egress/servers.ts";
import { callsGuest } from "../../runtime/wasm/calls-guest.ts";
import { command } from "../../runtime/wasm/components.ts";
import { tmpCommand } from "../../runtime/wasm/tmp-preview1.ts";
import { skipped } from "../../runtime/wasm/wasmtime/engine.ts";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { writeProject } from "./project-fixture.ts";

const forever = (body: string): Promise<Uint8Array> => command(`(loop $more ${body} (br $more))`);

/** Sends two requests for what its `config` names, and reads no response. */
const requests = `
  const send = () => {
    const request = new http.OutgoingRequest(new http.Fields());
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(config.get("host"));
    request.setPathWithQuery(config.get("path"));
    return outgoing.handle(request, null);
  };
  const futures = [send(), send()];
  futures.forEach((future) => future.subscribe().block());`;

/** Functions that break each limit, and what is said of it. */
const breaches = (host: string) =>
  ({
    ERR_STEP_TIMEOUT: [forever(""), { timeout: "150ms" }, /longer than 150 ms/],
    ERR_STEP_CPU: [
      forever(""),
      { limits: { cpu: "100ms" } },
      /used \d+ ms of processor time, over the limit of 100 ms/,
    ],
    ERR_STEP_MEMORY: [
      command("(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then (unreachable)))"),
      { limits: { memory: "1MiB" } },
      /had 65536 bytes and asked for 6553600 more, over the limit of 1048576 bytes/,
    ],
    ERR_STEP_OUTPUT_TOO_LARGE: [
      forever("(call $put (i32.const 1) (i32.const 0) (i32.const 600))"),
      { limits: { output: "1000B" } },
      /wrote 1200 bytes to stdout, over the limit of 1000 bytes/,
    ],
    ERR_STEP_LOG_TOO_LARGE: [
      forever("(call $put (i32.const 2) (i32.const 0) (i32.const 60))"),
      { limits: { logs: "100B" } },
      /logged 120 bytes, over the limit of 100 bytes/,
    ],
    ERR_STEP_TMP: [
      tmpCommand((fs) => [fs.open(1, "a", { create: true, write: true }), fs.resize(1, 5000)]),
      { limits: { tmp: "4KiB" }, capabilities: { tmp: true } },
      /put 500\d bytes into \/tmp, over the limit of 4096/,
    ],
    ERR_STEP_HTTP_REQUESTS: [
      callsGuest(),
      { limits: { http: { concurrent: 1 } }, capabilities: asking(host, "/never") },
      /had 2 HTTP requests under way at once, over the limit of 1/,
    ],
    ERR_STEP_HTTP_TOO_LARGE: [
      callsGuest(),
      { limits: { http: { body: "1KiB" } }, capabilities: asking(host, "/large") },
      /body of an HTTP response had \d{4,} bytes or more, over the limit of 1024/,
    ],
  }) as const;

const asking = (host: string, path: string) => ({
  http: [{ host: `http://${host}`, private: true }],
  config: { host, path },
  kv: true,
});

/** A function's id: one for each code. */
const idOf = (code: string): string => code.toLowerCase().replaceAll("_", "-");

describe.each(["v8", "wasmtime"])("on %s", (engine) => {
  test.skipIf(engine === "wasmtime" && skipped)(
    "a run shows which limit its step broke and how much was used: over the API, in its history, on the command line",
    async () => {
      const { port } = await listen((request, response) => {
        if (request.url === "/large") response.end("x".repeat(5_000));
      });
      const broken = breaches(`127.0.0.1:${port}`);
      const files: Record<string, string | Uint8Array | object> = {};
      for (const [code, [component, more]] of Object.entries(broken)) {
        const id = idOf(code);
        const steps = { only: { path: "file://./only.wasm", ...more } };
        const triggers = [{ event: "a" }];
        files[`${id}/function.json`] = { id, triggers, retry: { retries: 0 }, steps };
        files[`${id}/only.wasm`] = await component;
      }
      const cwd = await writeProject(files);
      const args = ["start", "--port", "0", "--broker", "memory:", "--engine", engine];
      const [, url = ""] = await startMillrace(args, { cwd }).until(/at (http:\S+)/);
      const get = async (path: string): Promise<unknown> => (await fetch(url + path)).json();
      const pushed = await millrace(["push", "--url", url, "--json"], { cwd });
      expect(pushed.code, pushed.stdout).toBe(0);
      const body = JSON.stringify({ name: "a", data: { code: requests } });
      await fetch(`${url}/e/x`, { method: "POST", headers: { "content-type": "application/json" }, body });

      for (const [code, [, , message]] of Object.entries(broken)) {
        const failure = { code, message: expect.stringMatching(message) };
        const runs = (): Promise<unknown> => get(`/v1/runs?function=${idOf(code)}`);
        await expect.poll(runs, { timeout: 60_000 }).toMatchObject({ runs: [{ status: "failed" }] });
        const {
          runs: [run],
        } = (await runs()) as { runs: [{ id: string }] };
        expect(await get(`/v1/runs/${run.id}`)).toMatchObject({ steps: [{ attempts: [{ failure }] }] });
        expect(JSON.stringify(await get(`/v1/runs/${run.id}/history`))).toMatch(message);
        const { stdout } = await millrace(["runs", "show", run.id, "--url", url], { cwd });
        expect(stdout).toContain(code);
        expect(stdout).toMatch(message);
      }
    },
    240_000,
  );
});
