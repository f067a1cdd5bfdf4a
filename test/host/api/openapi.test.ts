import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runId } from "../../../host/index.ts";
import { deploy, serve, type Answer, type Served } from "./api-fixture.ts";
import { keptDeadLetters } from "./dead-letter-fixture.ts";

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

let served: Served;
let document: any;
const routes: { readonly path: string; readonly method: string; readonly operation: Operation }[] = [];
let failedRun: string;

beforeAll(async () => {
  served = await serve(
    {},
    {
      programs: {
        a: (_input, log) => (log("hello"), { n: 1 }),
        b: () => {
          throw new Error("never");
        },
        c: () => null,
      },
      change: (host) => ({ ...host, deadLetters: keptDeadLetters(3).deadLetters }),
    },
  );
  await deploy(
    served.host,
    {
      a: { name: "First" },
      b: { after: [{ step: "a" }], retry: { retries: 1, backoff: { initial: "1ms", jitter: 0 } } },
      c: { after: [{ step: "a", if: "false" }] },
    },
    { name: "A function", triggers: [{ event: "a/b", expression: "data.n >= 1.0" }] },
  );
  await served.host.publish([
    {
      name: "a/b",
      id: "e1",
      data: { n: 1 },
      user: { id: "u" },
      v: "1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      attributes: { subject: "s", urgent: true, count: 1 },
    },
    { name: "a/b", id: "e2", data: { n: "text" }, user: "u" },
  ]);
  failedRun = runId("f", "e1");
  await served.host.finished(failedRun);
  await served.host.publish([{ name: "x", data: {} }]);
  ({ body: document } = await served.get("/openapi.json"));
  for (const [path, operations] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) routes.push({ path, method, operation });
  }
});
afterAll(() => served.close());

/** The check of a schema of the document, its references within the document resolved. */
function compile(schema: object): (value: unknown) => string[] {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true, allowUnionTypes: true });
  addFormats.default(ajv);
  ajv.addVocabulary(["components", "example"]);
  const check = ajv.compile({ ...schema, components: document.components });
  return (value) =>
    check(value) ? [] : (check.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

function operation(id: string): Operation {
  const found = routes.find((route) => route.operation.operationId === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found.operation;
}

/** What is wrong with an answer by what its operation says of its status. */
function misfits(id: string, { status, body }: Answer): string[] {
  const { responses } = operation(id);
  const response = responses[status] ?? responses["default"];
  return compile(response!.content!["application/json"]!.schema)(body);
}

test("is OpenAPI 3.1, the same from the API as over HTTP", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({
    title: "Millrace",
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
  });
  expect(document).toEqual(JSON.parse(JSON.stringify(served.api.openapi())));
});

test("describes what is served, and nothing else", () => {
  expect(routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`)).toEqual([
    "POST /e/{key}",
    "POST /v1/completions/{token}",
    "POST /v1/completions/{token}/failure",
    "GET /v1/links/{token}",
    "POST /v1/links/{token}",
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
    "GET /v1/runs",
    "GET /v1/runs/{id}",
    "GET /v1/runs/{id}/history",
    "GET /v1/runs/{id}/logs",
    "POST /v1/runs/{id}/cancel",
    "POST /v1/runs/{id}/pause",
    "POST /v1/runs/{id}/resume",
    "POST /v1/runs/{id}/retry",
    "GET /v1/events",
    "GET /v1/events/{id}",
    "GET /v1/functions",
    "GET /v1/functions/{id}",
    "GET /v1/schemas",
    "POST /v1/deployments",
    "PUT /v1/artifacts/{sha256}",
    "GET /v1/dead-letters",
    "GET /v1/dead-letters/{seq}",
    "DELETE /v1/dead-letters/{seq}",
    "POST /v1/dead-letters/{seq}/resubmit",
    "GET /v1/host",
    "GET /v1/live",
  ]);
});

test("every path and method of it is served, and every other method is refused", async () => {
  for (const { path, method } of routes) {
    const url = served.url + path.replaceAll(/\{\w+\}/g, "x");
    const controller = new AbortController();
    const response = await fetch(url, { method: method.toUpperCase(), signal: controller.signal });
    const bodiless = response.ok || method === "head";
    const code = bodiless ? undefined : ((await response.json()) as any).error.code;
    expect(["ERR_ROUTE_UNKNOWN", "ERR_METHOD_UNKNOWN"], `${method} ${path}`).not.toContain(code);
    controller.abort();
    const methods = routes.flatMap((route) => (route.path === path ? [route.method] : []));
    const other = methods.includes("get") ? "PATCH" : "GET";
    const wrong = await fetch(url, { method: other });
    expect(wrong.status, path).toBe(405);
  }
});

test("every reference in it leads somewhere, and every operation has a name of its own", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
  expect(references.length).toBeGreaterThan(10);
  for (const reference of references) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference!)?.[1];
    expect(document.components.schemas, reference).toHaveProperty(name!);
  }
  expect(new Set(routes.map((route) => route.operation.operationId)).size).toBe(routes.length);
});

test("every schema in it is one", () => {
  for (const { operation } of routes) {
    for (const parameter of operation.parameters ?? []) compile(parameter.schema);
    for (const media of Object.values(operation.requestBody?.content ?? {})) compile(media.schema);
    for (const response of Object.values(operation.responses)) {
      for (const media of Object.values(response.content ?? {})) compile(media.schema);
    }
  }
});

test("says of exactly the reading paths that they want a key, where the host has keys", async () => {
  for (const { path, operation } of routes) expect(operation.security, path).toEqual([]);
  const keyed = await serve({ apiKeys: ["key"] });
  const { paths, components } = keyed.api.openapi() as typeof document;
  try {
    for (const { path, method } of routes) {
      const url = keyed.url + path.replaceAll(/\{\w+\}/g, "x");
      const { status } = await fetch(url, { method: method.toUpperCase() });
      expect(paths[path][method].security, `${method} ${path}: ${status}`).toEqual(
        status === 401 ? [{ apiKey: [] }] : [],
      );
    }
  } finally {
    await keyed.close();
  }
  expect(paths["/v1/runs"].get.security).not.toEqual([]);
  expect(components.securitySchemes.apiKey).toMatchObject({ type: "http", scheme: "bearer" });
});

describe("real answers fit it", () => {
  test.each([
    ["health", "/healthz", 200],
    ["ready", "/readyz", 200],
    ["openapi", "/openapi.json", 200],
    ["listRuns", "/v1/runs", 200],
    ["listRuns", "/v1/runs?limit=1", 200],
    ["listRuns", "/v1/runs?status=none&functoin=f", 400],
    ["getRun", "/v1/runs/{run}", 200],
    ["getRun", "/v1/runs/nowhere", 404],
    ["getRunHistory", "/v1/runs/{run}/history", 200],
    ["getRunLogs", "/v1/runs/{run}/logs", 200],
    ["listEvents", "/v1/events", 200],
    ["listEvents", "/v1/events?limit=1", 200],
    ["getEvent", "/v1/events/e1", 200],
    ["getEvent", "/v1/events/nowhere", 404],
    ["listFunctions", "/v1/functions", 200],
    ["getFunction", "/v1/functions/f", 200],
    ["getFunction", "/v1/functions/nowhere", 404],
    ["listSchemas", "/v1/schemas", 200],
    ["listDeadLetters", "/v1/dead-letters", 200],
    ["listDeadLetters", "/v1/dead-letters?limit=1", 200],
    ["listDeadLetters", "/v1/dead-letters?cursor=x", 400],
    ["getDeadLetter", "/v1/dead-letters/3", 200],
    ["getDeadLetter", "/v1/dead-letters/99", 404],
    ["getDeadLetter", "/v1/dead-letters/x", 400],
    ["getHost", "/v1/host", 200],
    ["openLink", "/v1/links/x", 404],
    ["live", "/v1/live?type=none", 400],
  ])("%s at %s, %i", async (id, path, status) => {
    const answer = await served.get(path.replace("{run}", failedRun));
    expect(answer.status).toBe(status);
    expect(Object.keys(operation(id).responses)).toContain("default");
    expect(misfits(id, answer)).toEqual([]);
    if (status < 300)
      expect(misfits(id, { ...answer, body: { ...answer.body, stray: 1 } })).not.toEqual(
        id === "openapi" ? ["anything"] : [],
      );
  });

  test("a run with a failure, a skipped step and an event with all its fields is among them", async () => {
    const { body } = await served.get(`/v1/runs/${failedRun}`);
    expect(body.status).toBe("failed");
    expect(body.failure).toBeDefined();
    expect(body.steps.map((step: { status: string }) => step.status)).toEqual([
      "completed",
      "failed",
      "skipped",
    ]);
    expect(body.event).toHaveProperty("attributes");
    const { body: f } = await served.get("/v1/functions/f");
    expect(f.notices).toHaveLength(1);
  });

  test.each([
    ['{"name":"a/b"}', 200],
    ["[]", 200],
    ["{}", 400],
    ["{", 400],
    ['{"name":"a/b","data":{"__proto__":1}}', undefined],
  ])("sendEvents of %s", async (body, status) => {
    const answer = await served.send(body);
    if (status !== undefined) expect(answer.status).toBe(status);
    expect(misfits("sendEvents", answer)).toEqual([]);
  });

  test("the messages of the live stream", async () => {
    const { content } = operation("live").responses[200]!;
    const check = compile(content!["text/event-stream"]!.schema);
    const messages: unknown[] = [];
    const unsubscribe = served.host.live.subscribe((message) =>
      messages.push(JSON.parse(JSON.stringify(message))),
    );
    await served.host.publish([
      { name: "a/b", id: "e3", data: { n: 1 } },
      { name: "a/b", data: { n: true } },
    ]);
    await served.host.finished(runId("f", "e3"));
    served.host.live.publish({ type: "notice", at: 1, level: "error", message: "x" });
    const identity = { runId: "r", functionId: "f", step: "a", attempt: 1 };
    const line = { level: "info", message: "x" } as const;
    served.host.live.publish({ type: "attempt.logged", at: 1, ...identity, line });
    unsubscribe();
    const types = new Set(messages.map((message) => (message as { type: string }).type));
    expect([...types]).toEqual(
      expect.arrayContaining(["event.stored", "attempt.started", "attempt.logged", "history", "notice"]),
    );
    for (const message of messages) expect(check(message)).toEqual([]);
    expect(check({ type: "history" })).not.toEqual([]);
  });
});

describe("what it says of bodies", () => {
  test("is said of every operation that takes one", () => {
    const without = routes
      .filter(({ method, operation }) => method.startsWith("p") && operation.requestBody === undefined)
      .map(({ operation }) => operation.operationId);
    expect(without).toEqual(["resubmitDeadLetter"]);
  });

  test.each([
    ["cancelRun", "/v1/runs/x/cancel", [{}, { reason: "r" }, { reason: 1 }, { reson: "r" }, [], null]],
    ["pauseRun", "/v1/runs/x/pause", [{}, { reason: "r" }, { reason: {} }, { from: "a" }]],
    ["resumeRun", "/v1/runs/x/resume", [{}, { reason: "r" }, "text"]],
    [
      "retryRun",
      "/v1/runs/x/retry",
      [{}, { from: "a" }, { from: 1 }, { event: {} }, { event: [] }, { event: {}, from: "a" }, { to: "a" }],
    ],
    [
      "failStep",
      "/v1/completions/x/failure",
      [
        { message: "m" },
        { message: "m", fatal: true, retryAfter: "10s" },
        { message: "m", retryAfter: 10 },
        { message: "m", retryAfter: -1 },
        {},
        { message: "m", fatal: 1 },
        { message: "m", stray: 1 },
      ],
    ],
    ["deploy", "/v1/deployments", [{ functions: [] }, {}, { functions: {} }, { functions: [], stray: 1 }]],
  ])("holds for what %s takes", async (id, path, bodies) => {
    const fits = compile(operation(id).requestBody!.content["application/json"]!.schema);
    for (const body of bodies) {
      const answer = await fetch(served.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      // There is no such run or attempt, which is looked at once the body is found to be sound.
      const taken = answer.status === 200 || answer.status === 404;
      expect(fits(body).length === 0, `${JSON.stringify(body)}: ${answer.status}`).toBe(taken);
      expect(
        misfits(id, { status: answer.status, headers: answer.headers, body: await answer.json() }),
      ).toEqual([]);
    }
  });

  test("holds for what is taken and what is refused", async () => {
    const { content } = operation("sendEvents").requestBody!;
    const types = ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"];
    expect(Object.keys(content)).toEqual(types);
    const ce = { specversion: "1.0", id: "1", source: "/s", type: "a/b" };
    const bodies: [string, unknown][] = [
      ["application/json", { name: "a/b", data: {}, user: "u", ts: 1, v: "1", id: "x1" }],
      ["application/json", [{ name: "a/b" }]],
      ["application/json", { data: {} }],
      ["application/json", { name: "a/b", data: [] }],
      ["application/json", { name: "a/b", nam: 1 }],
      ["application/cloudevents+json", ce],
      ["application/cloudevents+json", { ...ce, userid: "u", count: 3, flag: true, data: {} }],
      ["application/cloudevents+json", { ...ce, specversion: "0.3" }],
      ["application/cloudevents+json", { ...ce, extra: {} }],
      ["application/cloudevents-batch+json", [ce]],
      ["application/cloudevents-batch+json", ce],
    ];
    for (const [type, body] of bodies) {
      const taken = (await served.send(JSON.stringify(body), { "content-type": type })).status === 200;
      expect(compile(content[type]!.schema)(body).length === 0, JSON.stringify(body)).toBe(taken);
    }
  });
});
