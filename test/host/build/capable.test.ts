import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { listen } from "../../runtime/egress/servers.ts";
import { createEngine, skipped } from "../../runtime/wasm/wasmtime/engine.ts";
import { type CapableProject, capableProject } from "./capable-runner.ts";
import { capableSteps } from "./capable-steps.ts";

let project: CapableProject;

beforeAll(async () => {
  project = await capableProject(capableSteps);
  expect(project.built.problems).toEqual([]);
}, 300_000);

afterAll(() => project?.dispose());

const engines = [
  { name: "v8", create: createV8Engine, left: false },
  { name: "wasmtime", create: createEngine, left: skipped },
] as const;

for (const { name, create, left } of engines) {
  describe.skipIf(left)(`on ${name}, a JavaScript step`, () => {
    let runner: ReturnType<CapableProject["on"]>;
    beforeAll(() => {
      runner = project.on(create);
    });
    afterAll(() => runner.close());

    const web = (data: Json & object, ...ports: number[]): Promise<Json> =>
      runner.output("web", data, { http: ports.map(local) });

    test("sends requests and reads responses", async () => {
      const server = await listen((_, response) =>
        response.writeHead(201, { "content-type": "text/x", "x-a": "b" }).end("Grüße"),
      );
      const url = `http://127.0.0.1:${server.port}/a%20b?c=d#e`;
      const init = { method: "post", headers: { "X-Key": "value", accept: "text/*" }, body: "{}" };
      expect(await web({ do: "send", url, init }, server.port)).toEqual({
        status: 201,
        ok: true,
        url: `http://127.0.0.1:${server.port}/a%20b?c=d`,
        redirected: false,
        type: "text/x",
        text: "Grüße",
      });
      const [{ method, url: path, headers, body } = { headers: [] }] = server.received;
      expect({ method, path, body }).toEqual({ method: "POST", path: "/a%20b?c=d", body: "{}" });
      expect(pairs(headers)).toMatchObject({
        accept: "text/*",
        "content-length": "2",
        "content-type": "text/plain;charset=UTF-8",
        "x-key": "value",
        host: `127.0.0.1:${server.port}`,
      });
    });

    test("reads JSON, and sends and reads bytes", async () => {
      const json = await listen((_, response) => response.end('\ufeff{"a":[1]}'));
      expect(await web({ do: "json", url: `http://127.0.0.1:${json.port}` }, json.port)).toEqual({ a: [1] });
      const echo = await listen((_, response) => {
        response.end(Buffer.from(echo.received[0]?.body ?? "", "latin1"));
      });
      const url = `http://127.0.0.1:${echo.port}/`;
      expect(await web({ do: "bytes", url }, echo.port)).toEqual([10_000, true, true]);
    });

    test("has several requests under way at once", async () => {
      const held: (() => void)[] = [];
      // None is answered before all are there; then the last one first.
      const server = await listen(({ url }, response) => {
        held.push(() => response.end(url));
        if (held.length === 4) for (const answer of held.toReversed()) answer();
      });
      const urls = ["/1", "/2", "/3", "/4"].map((path) => `http://127.0.0.1:${server.port}${path}`);
      const order = await web({ do: "together", urls }, server.port);
      expect((order as string[]).toSorted()).toEqual(["/1", "/2", "/3", "/4"]);
    });

    test("has timers that run meanwhile, and can end a request by a signal", async () => {
      const server = await listen(({ url }, response) => {
        if (url === "/") setTimeout(() => response.end("there"), 50);
      });
      const url = `http://127.0.0.1:${server.port}/`;
      expect(await web({ do: "meanwhile", url }, server.port)).toEqual([true, "there"]);
      const never = `${url}never`;
      expect(await web({ do: "late", url: never }, server.port)).toMatchObject({ name: "TimeoutError" });
      expect(await web({ do: "aborted", url: never }, server.port)).toMatchObject({
        name: "RangeError",
        message: "enough",
      });
      expect(await web({ do: "already", url: never }, server.port)).toMatchObject({ name: "AbortError" });
    });

    test("follows redirects as Node's fetch does", async () => {
      const server = await listen(({ url = "" }, response) => {
        const [, status = "", rest = ""] = /^\/(\d+)\/(.*)$/.exec(url) ?? [];
        if (status === "") response.end("end");
        else response.writeHead(Number(status), { location: rest === "" ? "/end" : rest }).end("moved");
      });
      const origin = `http://127.0.0.1:${server.port}`;
      for (const status of [301, 302, 303, 307, 308]) {
        for (const method of ["GET", "HEAD", "POST", "PUT"]) {
          const init = {
            method,
            headers: { authorization: "secret", "x-a": "b" },
            ...(/P/.test(method) && { body: "text" }),
          };
          const url = `${origin}/${status}/`;
          const before = server.received.length;
          const shown = await web({ do: "send", url, init }, server.port);
          const ours = server.received.slice(before);
          const response = await fetch(url, init);
          const theirs = server.received.slice(before + ours.length);
          expect(shown).toEqual({
            status: response.status,
            ok: response.ok,
            url: response.url,
            redirected: response.redirected,
            type: response.headers.get("content-type"),
            text: await response.text(),
          });
          expect(ours.map(comparable)).toEqual(theirs.map(comparable));
        }
      }
    });

    test("shows a redirect that it does not follow, and no more than twenty", async () => {
      const server = await listen((_, response) =>
        response.writeHead(302, { location: "/again" }).end("moved"),
      );
      const url = `http://127.0.0.1:${server.port}/`;
      const manual = await web({ do: "failing", url, init: { redirect: "manual" } }, server.port);
      expect(manual).toMatchObject({ status: 302, text: "moved", redirected: false });
      const error = await web({ do: "failing", url, init: { redirect: "error" } }, server.port);
      expect(error).toMatchObject({
        name: "TypeError",
        message: expect.stringContaining("unexpected redirect"),
      });
      expect(server.received).toHaveLength(2);
      const endless = await web({ do: "failing", url }, server.port);
      expect(endless).toMatchObject({ message: expect.stringContaining("redirect count exceeded") });
      expect(server.received).toHaveLength(2 + 21);
    });

    test("is led by a redirect only where it may go, without what is for the first host alone", async () => {
      const other = await listen((_, response) => response.end("other"));
      const server = await listen((_, response) =>
        response.writeHead(307, { location: `http://127.0.0.1:${other.port}/x` }).end(),
      );
      const url = `http://127.0.0.1:${server.port}/`;
      const init = { headers: { authorization: "secret", cookie: "a=b", "x-a": "c" } };
      expect(await web({ do: "failing", url, init }, server.port)).toMatchObject({
        name: "TypeError",
        message: expect.stringContaining("the step's capability `http` does not allow it"),
        code: "HTTP-request-denied",
      });
      expect(other.received).toEqual([]);
      expect(await web({ do: "failing", url, init }, server.port, other.port)).toMatchObject({
        text: "other",
      });
      const headers = pairs(other.received[0]?.headers ?? []);
      expect(headers).toMatchObject({ "x-a": "c" });
      expect(Object.keys(headers)).not.toContain("authorization");
      expect(Object.keys(headers)).not.toContain("cookie");
    });

    test.each([
      ["http://127.0.0.1:9/", "HTTP-request-denied"],
      ["https://example.org/", "HTTP-request-denied"],
      ["http://a:b@127.0.0.1/", "includes credentials"],
      ["/relative", "Failed to parse URL"],
      ["ftp://127.0.0.1/", "can't fetch from ftp:"],
    ])("is told why it can't have %s", async (url, message) => {
      expect(await web({ do: "failing", url })).toMatchObject({
        name: "TypeError",
        message: expect.stringContaining(message),
      });
    });

    test("fetches in a program, and while its module is loaded", async () => {
      const server = await listen((_, response) => response.end("text"));
      const data = { url: `http://127.0.0.1:${server.port}/` };
      const http = [local(server.port)];
      expect(await runner.output("program", data, { http })).toEqual([200, "text"]);
      expect(await runner.output("early")).toEqual([true, "TypeError"]);
    });

    test("reads its configuration", async () => {
      expect(await runner.output("stored", { do: "config" })).toEqual([
        "Grüße",
        "",
        null,
        [
          ["greeting", "Grüße"],
          ["empty", ""],
        ],
        "Grüße",
      ]);
    });

    test("keeps keys and values", async () => {
      expect(await runner.output("stored", { do: "round" })).toEqual([
        null,
        "Grüße",
        true,
        false,
        ["a"],
        null,
      ]);
      expect(await runner.output("stored", { do: "count" })).toEqual([2, -3]);
      expect(await runner.output("stored", { do: "count" })).toEqual([-1, -6]);
      expect(await runner.output("stored", { do: "swap" })).toEqual([
        null,
        "other",
        "cas-failed",
        "the key-value store: cas-failed",
      ]);
      const batch = [[["x", "1"], null, ["y", "2"]], false];
      expect(await runner.output("stored", { do: "batch" })).toEqual(batch);
      expect(await runner.output("stored", { do: "elsewhere" })).toEqual([
        true,
        "the key-value store: no-such-store",
        "no-such-store",
      ]);
    });
  });
}

const local = (port: number) => ({ host: `http://127.0.0.1:${port}`, private: true });

/** Headers by their names in lower case. */
function pairs(headers: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    headers.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), headers[index + 1] ?? ""]] : [],
    ),
  );
}

/** Of a request what two clients must agree on. */
function comparable({
  method,
  url,
  headers,
  body,
}: {
  method: string;
  url: string;
  headers: readonly string[];
  body: string;
}) {
  const { authorization, "x-a": own, "content-type": type } = pairs(headers);
  return { method, url, body, authorization, own, type };
}
