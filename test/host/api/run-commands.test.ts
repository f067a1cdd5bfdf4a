import { afterAll, beforeAll, expect, test } from "vitest";
import { runId } from "../../../host/index.ts";
import { millrace } from "../cli/cli-fixture.ts";
import { until } from "../broker/broker-contract.ts";
import { deploy, serve, type Answer, type Served } from "./api-fixture.ts";

let served: Served;
let broken = true;
beforeAll(async () => {
  served = await serve(
    {},
    {
      programs: {
        a: ({ event }) => event.data,
        b: () => {
          if (broken) throw new Error("not today");
          return "b";
        },
      },
    },
  );
  await deploy(
    served.host,
    {
      a: {},
      b: { after: [{ step: "a" }] },
      c: { after: [{ step: "b", wait: "1h" }] },
    },
    { retry: { retries: 0 } },
  );
});
afterAll(() => served.close());

const begin = async (data: object): Promise<string> => {
  const { body } = await served.send(JSON.stringify({ name: "a/b", data }));
  return runId("f", body.ids[0]);
};
const command = async (
  id: string,
  what: string,
  body: string = "{}",
  type = "application/json",
): Promise<Answer> => {
  const response = await fetch(`${served.url}/v1/runs/${id}/${what}`, {
    method: "POST",
    body,
    headers: { "content-type": type },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
};

test("runs are retried, paused, resumed and cancelled over HTTP, and each shows in the run", async () => {
  broken = true;
  const id = await begin({ n: 1 });
  await served.host.finished(id);
  broken = false;
  expect(await command(id, "retry")).toMatchObject({ status: 200, body: { id, functionId: "f" } });
  await until(async () => (await served.host.runs.load(id))?.status === "parked");
  expect((await command(id, "pause", '{"reason":"wait"}')).body).toMatchObject({ id, status: "paused" });
  expect((await served.get(`/v1/runs/${id}`)).body).toMatchObject({ status: "paused", reason: "wait" });
  expect((await served.get("/v1/runs?status=paused")).body.runs).toHaveLength(1);
  expect((await command(id, "resume")).status).toBe(200);
  expect((await command(id, "cancel", '{"reason":"enough"}')).body).toMatchObject({ status: "cancelled" });
  const { body } = await served.get(`/v1/runs/${id}/history`);
  expect(body.history.map(({ type }: { type: string }) => type)).toEqual([
    "run.started",
    "step.completed",
    "step.failed",
    "run.failed",
    "run.retried",
    "step.completed",
    "run.paused",
    "run.resumed",
    "run.cancelled",
  ]);
  const detail = (await served.get(`/v1/runs/${id}`)).body;
  expect(detail).toMatchObject({ status: "cancelled", reason: "enough" });
  expect(detail.failure).toBeUndefined();
  expect(detail.steps[1]).toMatchObject({
    id: "b",
    status: "completed",
    attempts: [{ attempt: 1 }, { attempt: 2 }],
  });
});

test("a run is tried again with what differs in its event", async () => {
  const id = await begin({ n: 1 });
  await until(async () => (await served.host.runs.load(id))?.status === "parked");
  const { status, body } = await command(id, "retry", '{"event":{"data":{"n":2}}}');
  expect(status).toBe(200);
  expect(body.id).not.toBe(id);
  const detail = (await served.get(`/v1/runs/${body.id}`)).body;
  expect(detail).toMatchObject({ retryOf: id, edited: ["data"], event: { name: "a/b", data: { n: 2 } } });
  const same = await command(id, "retry", '{"event":{}}');
  expect((await served.get(`/v1/runs/${same.body.id}`)).body.edited).toBe(undefined);
  expect(detail.event.id).not.toBe((await served.get(`/v1/runs/${id}`)).body.event.id);
});

test.each([
  ["cancel", runId("f", "none"), "{}", 404, "ERR_RUN_UNKNOWN"],
  ["cancel", "own", '{"resaon":"x"}', 400, "ERR_QUERY_INVALID"],
  ["cancel", "own", "[]", 400, "ERR_QUERY_INVALID"],
  ["cancel", "own", "{", 400, "ERR_BODY_JSON"],
  ["retry", "own", "{}", 409, "ERR_RUN_STATE"],
  ["retry", "own", '{"from":"a","event":{}}', 400, "ERR_QUERY_INVALID"],
  ["retry", "own", '{"event":{"data":7}}', 400, "ERR_EVENT_INVALID"],
])("%s of %s with %s is refused", async (what, which, body, status, code) => {
  const own = await begin({});
  await until(async () => (await served.host.runs.load(own))?.status === "parked");
  const answer = await command(which === "own" ? own : which, what, body);
  expect(answer).toMatchObject({ status, body: { error: { code } } });
});

test("a web page can't send them: a type is asked for that it may not send elsewhere", async () => {
  const id = await begin({});
  expect((await command(id, "cancel", "{}", "text/plain")).body.error.code).toBe("ERR_BODY_TYPE");
});

test("the command line does the same, by an end of the run's id", async () => {
  const id = await begin({ n: 3 });
  await until(async () => (await served.host.runs.load(id))?.status === "parked");
  const runs = (...args: string[]) => millrace(["runs", ...args, "--url", served.url]);
  expect(await runs("pause", id.slice(-8), "--reason", "hold")).toMatchObject({
    code: 0,
    stdout: `${id} paused\n`,
  });
  expect((await runs("show", id)).stdout).toContain("hold");
  expect((await runs("resume", id)).stdout).toBe(`${id} resumed\n`);
  const cancelled = await runs("cancel", id, "--json");
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ id, status: "cancelled" });
  const refused = await runs("pause", id);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("ERR_RUN_STATE");
  expect((await runs("retry", id, "--from", "b")).code).toBe(0);
  const both = await runs("retry", id, "--from", "b", "--data", "{}");
  expect(both).toMatchObject({ code: 2 });
  expect(both.stderr).toContain("ERR_USAGE: --from has the run go on");
  const again = await runs("retry", id, "--event", '{"data":{"n":4}}', "--json");
  const { id: other } = JSON.parse(again.stdout) as { id: string };
  expect((await served.get(`/v1/runs/${other}`)).body).toMatchObject({ retryOf: id });
  const data = await runs("retry", id, "--data", '{"n":5}', "--json");
  const { id: third } = JSON.parse(data.stdout) as { id: string };
  expect((await served.get(`/v1/runs/${third}`)).body).toMatchObject({ event: { data: { n: 5 } } });
  expect((await runs("show", third)).stdout).toContain(`${id}, with other data`);
});
