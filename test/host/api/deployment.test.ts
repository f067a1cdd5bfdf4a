import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import type { FunctionVersion } from "../../../host/function/version.ts";
import { runId } from "../../../host/index.ts";
import { serve, type Served } from "./api-fixture.ts";
import { keptDeadLetters } from "./dead-letter-fixture.ts";

let served: Served;
afterEach(() => served.close());

const component = new TextEncoder().encode("a component");
const digest = createHash("sha256").update(component).digest("hex");
const document: FunctionDocument = {
  id: "f",
  triggers: [{ event: "a/b" }],
  steps: { a: { path: "file://./a.wasm" } },
};
const version = functionVersion(document, { a: digest }, 1);

async function call(method: string, path: string, body?: unknown, type = "application/json") {
  const raw = body instanceof Uint8Array;
  const response = await fetch(served.url + path, {
    method,
    ...(body === undefined ? {} : { body: raw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    headers: { "content-type": type },
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const deploy = (...functions: readonly FunctionVersion[]) => call("POST", "/v1/deployments", { functions });

test("what is stored and deployed over HTTP runs, and the same again changes nothing", async () => {
  served = await serve({}, { programs: { a: () => "ran" } });
  const path = `/v1/artifacts/${digest}`;
  expect((await call("HEAD", path)).status).toBe(404);
  expect(await call("PUT", path, component)).toEqual({
    status: 200,
    body: { sha256: digest, size: component.length },
  });
  expect(await call("PUT", path, component)).toMatchObject({ status: 200 });
  expect((await call("HEAD", path)).status).toBe(200);

  const schema = { type: "object", required: ["n"] };
  const body = { functions: [version], schemas: { "a/b": schema } };
  const [one, other] = await Promise.all([
    call("POST", "/v1/deployments", body),
    call("POST", "/v1/deployments", body),
  ]);
  expect([one?.status, other?.status]).toEqual([200, 200]);
  expect(await call("POST", "/v1/deployments", body)).toEqual({
    status: 200,
    body: { functions: [{ id: "f", version: version.version, changed: false }], schemas: [] },
  });
  expect((await served.get("/v1/schemas")).body).toEqual({ schemas: { "a/b": schema } });
  expect((await served.send('{"name":"a/b","data":{}}')).status).toBe(422);
  await served.send('{"name":"a/b","id":"e","data":{"n":1}}');
  expect(await served.host.finished(runId("f", "e"))).toMatchObject({ status: "completed" });
});

test("schemas of other events stay when a deployment brings its own", async () => {
  served = await serve();
  const put = (schemas: object) => call("POST", "/v1/deployments", { functions: [], schemas });
  expect((await put({ x: { type: "object" } })).body.schemas).toEqual(["x"]);
  expect((await put({ y: {} })).body.schemas).toEqual(["y"]);
  expect((await served.get("/v1/schemas")).body.schemas).toEqual({ x: { type: "object" }, y: {} });
  expect((await put({ z: { type: "nothing" } })).body.error.code).toBe("ERR_SCHEMA_INVALID");
});

test("a component under a digest that is not its own is refused, and one that is too large", async () => {
  served = await serve({ bodyBytes: 100 });
  const wrong = await call("PUT", `/v1/artifacts/${"0".repeat(64)}`, component);
  expect([wrong.status, wrong.body.error.code]).toEqual([422, "ERR_ARTIFACT_DIGEST"]);
  expect((await call("HEAD", `/v1/artifacts/${"0".repeat(64)}`)).status).toBe(404);
  expect((await call("PUT", "/v1/artifacts/abc", component)).body.error.code).toBe("ERR_ARTIFACT_DIGEST");
  const large = new Uint8Array(101);
  const path = `/v1/artifacts/${createHash("sha256").update(large).digest("hex")}`;
  expect((await call("PUT", path, large)).body.error.code).toBe("ERR_BODY_TOO_LARGE");
  expect((await call("HEAD", path)).status).toBe(404);
});

test("a version whose component is not stored is refused, and nothing is deployed", async () => {
  served = await serve();
  const { status, body } = await deploy(version);
  expect([status, body.error.code]).toEqual([422, "ERR_ARTIFACT_MISSING"]);
  expect(body.error.problems[0].message).toContain(`${digest} of the step a of f`);
  expect((await served.get("/v1/functions")).body.functions).toEqual([]);
});

test.each([
  ["a wrong digest of the version", { ...version, version: "0".repeat(12) }, "/functions/0/version"],
  ["another id than the document's", { ...version, functionId: "g" }, "/functions/0/functionId"],
  ["a step without a component", functionVersion(document, {}, 1), "/functions/0/components"],
  [
    "a document that can't be loaded",
    { ...version, document: { ...document, triggers: 1 } },
    "/functions/0/document/triggers",
  ],
  ["an unknown property", { ...version, extra: 1 }, "/functions/0/extra"],
])("%s is refused with its place", async (_what, given, pointer) => {
  served = await serve();
  const { status, body } = await call("POST", "/v1/deployments", { functions: [given] });
  expect([status, body.error.code]).toEqual([422, "ERR_DEPLOYMENT_INVALID"]);
  expect(body.error.problems.map((problem: any) => problem.pointer)).toContain(pointer);
});

test("deploying wants the API key, and JSON, which a web page can't send elsewhere unasked", async () => {
  served = await serve({ apiKeys: ["key"] });
  for (const [method, path] of [
    ["PUT", `/v1/artifacts/${digest}`],
    ["POST", "/v1/deployments"],
    ["POST", "/v1/dead-letters/1/resubmit"],
    ["DELETE", "/v1/dead-letters/1"],
  ] as const) {
    const { status, body } = await call(method, path, {});
    expect([status, body.error.code], path).toEqual([401, "ERR_API_KEY"]);
  }
  await served.close();
  served = await serve();
  for (const path of ["/v1/deployments", "/v1/dead-letters/1/resubmit"])
    expect((await call("POST", path, {}, "text/plain")).body.error.code).toBe("ERR_BODY_TYPE");
});

test("a host that stops is alive and not ready, and takes neither events nor deployments", async () => {
  const holding = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  served = await serve(
    {},
    {
      programs: {
        async a() {
          started.resolve();
          await holding.promise;
          return null;
        },
      },
    },
  );
  await call("PUT", `/v1/artifacts/${digest}`, component);
  await deploy(version);
  await served.send('{"name":"a/b"}');
  await started.promise;
  const closed = served.host.close();
  for (const [method, path, body] of [
    ["GET", "/readyz", undefined],
    ["POST", "/e/test", { name: "a/b" }],
    ["POST", "/v1/deployments", { functions: [version] }],
    ["PUT", `/v1/artifacts/${digest}`, component],
  ] as const) {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.error.code], path).toEqual([503, "ERR_HOST_CLOSED"]);
  }
  expect((await call("GET", "/healthz")).status).toBe(200);
  holding.resolve();
  await closed;
});

test("dead letters are listed page by page, shown, published once more and discarded", async () => {
  const { deadLetters, resubmitted } = keptDeadLetters(3);
  served = await serve({}, { change: (host) => ({ ...host, deadLetters }) });
  const first = await served.get("/v1/dead-letters?limit=2");
  expect(first.body).toMatchObject({ total: 3, deadLetters: [{ seq: 1 }, { seq: 2 }], next: "2" });
  const second = await served.get(`/v1/dead-letters?limit=2&cursor=${first.body.next}`);
  expect(second.body).toMatchObject({ deadLetters: [{ seq: 3 }] });
  expect(second.body).not.toHaveProperty("next");
  expect((await served.get("/v1/dead-letters/2")).body).toMatchObject({ seq: 2, payload: "[2]" });
  expect(await call("POST", "/v1/dead-letters/2/resubmit")).toEqual({ status: 200, body: { seq: 2 } });
  expect(resubmitted).toEqual([2]);
  expect(await call("DELETE", "/v1/dead-letters/3")).toEqual({ status: 200, body: { seq: 3 } });
  expect((await served.get("/v1/host")).body).toMatchObject({
    name: served.host.name,
    store: "memory",
    runtimes: ["wasm"],
    deadLetters: 1,
  });
  for (const [method, path] of [
    ["GET", "/v1/dead-letters/2"],
    ["DELETE", "/v1/dead-letters/3"],
    ["POST", "/v1/dead-letters/3/resubmit"],
  ] as const)
    expect((await call(method, path)).body.error.code, path).toBe("ERR_DEAD_LETTER_UNKNOWN");
});
