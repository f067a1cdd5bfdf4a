import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runId } from "../../../host/index.ts";
import { deploy, serve, type Served } from "./api-fixture.ts";

let served: Served;
let flaky: number;
beforeEach(async () => {
  flaky = 0;
  served = await serve(
    {},
    {
      programs: {
        a: (input, log) => {
          log("first line");
          log("second line");
          return { plan: (input.event.data as { plan?: string }).plan ?? null };
        },
        b: (_input, log) => {
          flaky += 1;
          log(`attempt ${flaky}`);
          if (flaky === 1) throw new Error("not yet");
          return "done";
        },
      },
    },
  );
  await deploy(
    served.host,
    {
      a: { name: "First" },
      b: { after: [{ step: "a" }], retry: { backoff: { initial: "1ms", jitter: 0 } } },
    },
    { name: "A function" },
  );
});
afterEach(() => served.close());

/** Sends an event and resolves with the id of its finished run. */
async function finishedRun(event: object = {}): Promise<string> {
  const { body } = await served.send(JSON.stringify({ name: "a/b", ...event }));
  const id = runId("f", body.ids[0]);
  await served.host.finished(id);
  return id;
}

/** The ids of the runs that a query finds. */
async function found(query: string): Promise<string[]> {
  const { body } = await served.get(`/v1/runs?${query}`);
  return body.runs.map((run: { id: string }) => run.id);
}

describe("a run", () => {
  test("is shown with its event and steps", async () => {
    const id = await finishedRun({ id: "e1", data: { plan: "pro" }, user: { id: "u1" } });
    const { status, body, headers } = await served.get(`/v1/runs/${id}`);
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toMatchObject({
      id,
      functionId: "f",
      eventId: "e1",
      userId: "u1",
      status: "completed",
      event: { id: "e1", data: { plan: "pro" } },
      steps: [
        {
          id: "a",
          name: "First",
          status: "completed",
          output: { plan: "pro" },
          attempts: [{ attempt: 1, logLines: 2 }],
        },
        {
          id: "b",
          after: ["a"],
          status: "completed",
          output: "done",
          attempts: [
            { attempt: 1, failure: { code: "ERR_STEP_FAILED", message: "not yet" } },
            { attempt: 2 },
          ],
        },
      ],
    });
  });

  test("has a history, numbered from 1", async () => {
    const id = await finishedRun();
    const { body } = await served.get(`/v1/runs/${id}/history`);
    expect(body.history.map(({ seq, type }: { seq: number; type: string }) => [seq, type])).toEqual([
      [1, "run.started"],
      [2, "step.completed"],
      [3, "step.failed"],
      [4, "step.completed"],
      [5, "run.completed"],
    ]);
  });

  test("has the logs of its attempts, of all steps or of one", async () => {
    const id = await finishedRun();
    const { body } = await served.get(`/v1/runs/${id}/logs`);
    const lines = body.logs.map(({ step, attempt, lines }: any) => [
      step,
      attempt,
      lines.map((line: any) => line.message),
    ]);
    expect(lines).toEqual([
      ["a", 1, ["first line", "second line"]],
      ["b", 1, ["attempt 1"]],
      ["b", 2, ["attempt 2"]],
    ]);
    const ofOne = await served.get(`/v1/runs/${id}/logs?step=b`);
    expect(ofOne.body.logs).toEqual(body.logs.slice(1));
  });

  test.each(["", "/history", "/logs"])("that is not there is answered 404 at %j", async (path) => {
    const { status, body } = await served.get(`/v1/runs/nowhere${path}`);
    expect(status).toBe(404);
    expect(body.error.code).toBe("ERR_RUN_UNKNOWN");
  });

  test("of an older version shows the steps of that version", async () => {
    const id = await finishedRun();
    await deploy(served.host, { z: {} });
    const { body } = await served.get(`/v1/runs/${id}`);
    expect(body.steps.map((step: { id: string }) => step.id)).toEqual(["a", "b"]);
    expect(body.steps[1].after).toEqual(["a"]);
  });
});

describe("runs", () => {
  test("are listed page by page, the newest first", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift(await finishedRun());
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 4; pages += 1) {
      const { body } = await served.get(`/v1/runs?limit=2${cursor}`);
      seen.push(...body.runs.map((run: { id: string }) => run.id));
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(seen).toEqual(ids);
  });

  test("are found by function, status, event and user", async () => {
    const mine = await finishedRun({ id: "e/1 ä", user: { id: "u1" } });
    const other = await finishedRun({ user: "u2" });
    expect(await found("user=u1")).toEqual([mine]);
    expect(await found(`event=${encodeURIComponent("e/1 ä")}`)).toEqual([mine]);
    expect(await found("function=f&status=completed&user=u2")).toEqual([other]);
    expect(await found("function=g")).toEqual([]);
    expect(await found("status=failed")).toEqual([]);
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=many", "limit"],
    ["status=done", "status"],
    ["cursor=%20", "cursor"],
    ["cursor=x", "cursor"],
    ["cursor=-1", "cursor"],
  ])("refuse the query %s", async (query, parameter) => {
    const { status, body } = await served.get(`/v1/runs?${query}`);
    expect(status).toBe(400);
    expect(body.error.code).toBe("ERR_QUERY_INVALID");
    expect(body.error.problems[0].message).toContain(`\`${parameter}\``);
  });

  test("name the parameter that a misspelt one may be", async () => {
    const { body } = await served.get("/v1/runs?functoin=f&limit=0");
    expect(body.error.problems).toHaveLength(2);
    expect(body.error.problems).toContainEqual(expect.objectContaining({ suggestion: "function" }));
  });
});

describe("events", () => {
  test("are listed page by page, the newest first, of all names or of one", async () => {
    for (const name of ["x", "y", "x", "y", "x"]) await served.host.publish([{ name }]);
    const first = await served.get("/v1/events?name=x&limit=2");
    expect(first.body.events.map((stored: any) => stored.seq)).toEqual([5, 3]);
    const second = await served.get(`/v1/events?name=x&limit=2&cursor=${first.body.next}`);
    expect(second.body.events.map((stored: any) => stored.seq)).toEqual([1]);
    expect(second.body).not.toHaveProperty("next");
    expect((await served.get("/v1/events")).body.events).toHaveLength(5);
    expect((await served.get("/v1/events?cursor=x")).body.error.code).toBe("ERR_QUERY_INVALID");
  });

  test("are shown with the runs that they started, whatever their id is", async () => {
    const eventId = `/a b?#%ä${"x".repeat(200)}`;
    const id = await finishedRun({ id: eventId });
    const { status, body } = await served.get(`/v1/events/${encodeURIComponent(eventId)}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      seq: 1,
      event: { id: eventId, name: "a/b" },
      runs: [{ id, status: "completed" }],
    });
    const missing = await served.get("/v1/events/nowhere");
    expect(missing.status).toBe(404);
    expect(missing.body.error.code).toBe("ERR_EVENT_UNKNOWN");
  });
});

describe("functions", () => {
  test("are listed, and shown with their document", async () => {
    const list = await served.get("/v1/functions");
    expect(list.body.functions).toEqual([
      {
        id: "f",
        name: "A function",
        version: expect.stringMatching(/^[\da-f]{12}$/),
        createdAt: 1,
        triggers: [{ event: "a/b" }],
        steps: ["a", "b"],
      },
    ]);
    const one = await served.get("/v1/functions/f");
    expect(one.body).toMatchObject({ id: "f", version: list.body.functions[0].version, notices: [] });
    expect(one.body.document.steps).toHaveProperty("b");
    expect((await served.get("/v1/functions/g")).body.error.code).toBe("ERR_FUNCTION_UNKNOWN");
  });

  test("are shown with what was noticed about them", async () => {
    await deploy(served.host, { a: {} }, { triggers: [{ event: "a/b", expression: "event.data.n > 1" }] });
    await served.send(JSON.stringify({ name: "a/b", data: { n: "text" } }));
    await expect
      .poll(async () => (await served.get("/v1/functions/f")).body.notices)
      .toEqual([expect.objectContaining({ code: "ERR_EXPRESSION_TYPE", functionId: "f" })]);
  });
});

describe("the host", () => {
  test("says that it is alive and ready, to HEAD too", async () => {
    expect((await served.get("/healthz")).body).toEqual({ status: "alive" });
    expect((await served.get("/readyz")).body).toEqual({ status: "ready" });
    const head = await fetch(`${served.url}/healthz`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
  });

  test("is not ready while its store does not answer", async () => {
    const broken = await serve(
      {},
      {
        change: (host) => ({
          ...host,
          ready: async () => {
            throw new Error("disk gone");
          },
        }),
      },
    );
    const { status, body } = await broken.get("/readyz");
    expect(status).toBe(503);
    expect(body.error.code).toBe("ERR_STORE_UNAVAILABLE");
    expect((await broken.get("/healthz")).status).toBe(200);
    await broken.close();
  });

  test("tells unknown paths from wrong methods", async () => {
    const unknown = await served.get("/v2/runs");
    expect(unknown.status).toBe(404);
    expect(unknown.body.error.code).toBe("ERR_ROUTE_UNKNOWN");
    const wrong = await fetch(`${served.url}/e/test`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("POST");
    const posted = await fetch(`${served.url}/v1/runs`, { method: "POST", body: "{}" });
    expect(posted.headers.get("allow")).toBe("GET, HEAD");
    expect(await posted.json()).toMatchObject({ error: { code: "ERR_METHOD_UNKNOWN" } });
  });

  test.each([["/e/%zz"], ["/v1/runs/%"]])("refuses the path %s", async (path) => {
    const { status, body } = await served.get(path);
    expect(status).toBe(400);
    expect(body.error.code).toBe("ERR_REQUEST_MALFORMED");
  });

  test("refuses a part of a path that is too long", async () => {
    const { status, body } = await served.get(`/v1/runs/${"x".repeat(5_000)}`);
    expect([status, body.error.code]).toEqual([431, "ERR_REQUEST_HEADERS_TOO_LARGE"]);
  });
});
