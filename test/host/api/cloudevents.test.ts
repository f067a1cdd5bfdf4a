import { CloudEvent, emitterFor, httpTransport, HTTP, Mode } from "cloudevents";
import { afterEach, describe, expect, test } from "vitest";
import { serve, type Served } from "./api-fixture.ts";

let served: Served;
afterEach(() => served.close());

const sent = () =>
  new CloudEvent({
    id: "order 42",
    source: "/shop",
    type: "com.example.order",
    subject: "size 42",
    time: "2026-01-31T12:00:00.000Z",
    userid: "u1",
    data: { total: 3 },
  });

describe("events of the CloudEvents SDK", () => {
  test.each([Mode.BINARY, Mode.STRUCTURED])("arrive in mode %s", async (mode) => {
    served = await serve();
    const emit = emitterFor(httpTransport(`${served.url}/e/test`), { mode });
    const answer = (await emit(sent())) as { body: string };
    expect(JSON.parse(answer.body)).toEqual({ ids: ["/shop|order 42"], status: 200 });
    const stored = await served.host.events.readEvent("/shop|order 42");
    expect(stored?.event).toMatchObject({
      name: "com.example.order",
      data: { total: 3 },
      user: "u1",
      ts: Date.parse("2026-01-31T12:00:00Z"),
      attributes: { source: "/shop", id: "order 42", subject: "size 42" },
    });
  });

  test("arrive as a batch", async () => {
    served = await serve();
    const batch = JSON.stringify([sent(), sent().cloneWith({ id: "2" })]);
    const answer = await served.send(batch, { "content-type": "application/cloudevents-batch+json" });
    expect(answer.body).toEqual({ ids: ["/shop|order 42", "/shop|2"], status: 200 });
  });

  test("are the same in every mode: source and id make one event", async () => {
    served = await serve();
    for (const message of [HTTP.binary(sent()), HTTP.structured(sent())]) {
      const answer = await served.send(String(message.body), message.headers as Record<string, string>);
      expect(answer.body.ids).toEqual(["/shop|order 42"]);
    }
    await served.send(JSON.stringify([sent()]), { "content-type": "application/cloudevents-batch+json" });
    expect(await served.host.events.readEvents({ limit: 10 })).toHaveLength(1);
  });
});

describe("CloudEvents that can't be taken", () => {
  const ce = { specversion: "1.0", id: "1", source: "/s", type: "a/b" };
  const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a/b" };
  const structured = { "content-type": "application/cloudevents+json" };

  test("are refused with the problems of the whole batch", async () => {
    served = await serve();
    const { body } = await served.send(
      JSON.stringify([ce, { ...ce, source: undefined }, { ...ce, time: "x" }]),
      {
        "content-type": "application/cloudevents-batch+json",
      },
    );
    expect(body.error.code).toBe("ERR_CLOUDEVENT_INVALID");
    expect(body.error.problems.map((problem: { pointer: string }) => problem.pointer)).toEqual([
      "/1/source",
      "/2/time",
    ]);
  });

  test("name the attribute whose value the host refuses", async () => {
    served = await serve();
    const inJson = await served.send(JSON.stringify({ ...ce, type: "no spaces", data: [] }), structured);
    expect(inJson.body.error.problems.map((problem: { pointer: string }) => problem.pointer)).toEqual([
      "/type",
      "/data",
    ]);
    const inHeaders = await served.send("{}", { ...binary, "ce-type": "no spaces" });
    expect(inHeaders.body.error.problems[0].message).toContain("the header ce-type");
    expect(inHeaders.body.error.problems[0]).not.toHaveProperty("pointer");
  });

  test.each([
    ["text", "text/plain", "hello"],
    ["bytes", "application/octet-stream", new Uint8Array([0xff, 0xfe, 0])],
  ])("because their data is %s name the header", async (_what, type, body) => {
    served = await serve();
    const answer = await served.send(body, { ...binary, "content-type": type });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: "ERR_CLOUDEVENT_INVALID" });
    expect(answer.body.error.message).toContain("content-type");
  });

  test("because a batch is no list are refused", async () => {
    served = await serve();
    const answer = await served.send(JSON.stringify(ce), {
      "content-type": "application/cloudevents-batch+json",
    });
    expect(answer.body.error.code).toBe("ERR_CLOUDEVENT_INVALID");
  });

  test("because their data does not fit its schema point into the data", async () => {
    served = await serve();
    await served.host.setEventSchemas({ "a/b": { type: "object", required: ["n"] } });
    const inHeaders = await served.send("{}", binary);
    expect(inHeaders.body.error.problems).toEqual([
      expect.objectContaining({ code: "ERR_EVENT_SCHEMA", pointer: "" }),
    ]);
    const inJson = await served.send(JSON.stringify({ ...ce, data: {} }), structured);
    expect(inJson.body.error.problems).toEqual([
      expect.objectContaining({ code: "ERR_EVENT_SCHEMA", pointer: "/data" }),
    ]);
  });

  test("without a body in binary mode is taken, with empty data", async () => {
    served = await serve();
    const response = await fetch(`${served.url}/e/test`, { method: "POST", headers: binary });
    expect(response.status).toBe(200);
    expect((await served.host.events.readEvent("/s|1"))?.event.data).toEqual({});
  });
});
