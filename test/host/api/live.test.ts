import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LiveMessage } from "../../../host/live.ts";
import { runId } from "../../../host/index.ts";
import { deploy, serve, type Served } from "./api-fixture.ts";

let served: Served;
let release: () => void;
/** Step "b" goes on once this is resolved. */
let held: Promise<void>;
const streams: AbortController[] = [];
const programs = { a: () => 1, b: async () => (await held, 2) };

beforeEach(() => {
  ({ promise: held, resolve: release } = Promise.withResolvers<void>());
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.abort();
  release();
  await served.close();
});

interface Message {
  readonly id?: string;
  readonly event: string;
  readonly data: any;
}

/** Opens a stream of server-sent events; iterating it gives its messages until it ends. */
async function open(query = "", headers: Record<string, string> = {}): Promise<AsyncIterator<Message>> {
  const controller = new AbortController();
  streams.push(controller);
  const response = await fetch(`${served.url}/v1/live${query}`, { headers, signal: controller.signal });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  // Piped at once: fetch cancels a body that nobody has begun to read when its response is collected.
  return messages(response.body!.pipeThrough(new TextDecoderStream()));
}

async function* messages(body: ReadableStream<string>): AsyncGenerator<Message> {
  let text = "";
  for await (const chunk of body) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const fields = text
        .slice(0, end)
        .split("\n")
        .map((line) => line.split(/: ?(.*)/s, 2) as [string, string]);
      text = text.slice(end + 2);
      const { id, event, data } = Object.fromEntries(fields) as Record<string, string>;
      if (event !== undefined && data !== undefined) {
        yield { ...(id === undefined ? {} : { id }), event, data: JSON.parse(data) };
      }
    }
  }
}

async function take(stream: AsyncIterator<Message>, count: number): Promise<Message[]> {
  const taken: Message[] = [];
  while (taken.length < count) {
    const { done, value } = await stream.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

/** All that is left of a stream until the server ends it. */
const rest = (stream: AsyncIterator<Message>) => take(stream, Number.POSITIVE_INFINITY);

async function send(event: object = {}): Promise<string> {
  const { body } = await served.send(JSON.stringify({ name: "a/b", ...event }));
  return runId("f", body.ids[0]);
}

describe("the live stream", () => {
  beforeEach(async () => {
    served = await serve({}, { programs });
    await deploy(served.host, { a: {}, b: { after: [{ step: "a" }] } });
  });

  test("tells of events, attempts and what is recorded, each with its type", async () => {
    const stream = await open();
    release();
    const id = await send({ id: "e1" });
    const seen = await take(stream, 7);
    expect(seen.map(({ event, data }) => [event, data.entry?.type ?? data.step ?? data.event.id])).toEqual([
      ["event.stored", "e1"],
      ["history", "run.started"],
      ["attempt.started", "a"],
      ["history", "step.completed"],
      ["attempt.started", "b"],
      ["history", "step.completed"],
      ["history", "run.completed"],
    ]);
    for (const { event, data } of seen) {
      expect(data.type).toBe(event);
      if (event !== "event.stored") expect(data.runId).toBe(id);
    }
    expect(seen.every((message) => message.id === undefined)).toBe(true);
  });

  test("can be of one function, or of some types", async () => {
    const ofNone = await open("?function=g");
    const ofSome = await open("?function=f&type=attempt.started&type=notice");
    const ofHistory = await open("?type=history");
    release();
    await send();
    expect((await take(ofSome, 2)).map(({ data }) => data.step)).toEqual(["a", "b"]);
    expect((await take(ofHistory, 4)).every(({ event }) => event === "history")).toBe(true);
    served.host.live.publish({ type: "notice", at: 1, level: "warn", message: "x", functionId: "g" });
    expect(await take(ofNone, 1)).toMatchObject([{ event: "notice" }]);
    expect(await take(ofSome, 0)).toEqual([]);
  });

  test("refuses a type that there is not", async () => {
    const { status, body } = await served.get("/v1/live?type=histroy");
    expect(status).toBe(400);
    expect(body.error.problems).toEqual([expect.objectContaining({ suggestion: "history" })]);
  });

  test("goes over HTTP/2", async () => {
    const session = connectHttp2(served.url);
    const stream = session.request({ ":path": "/v1/live?type=event.stored" });
    stream.setEncoding("utf8");
    let text = "";
    stream.on("data", (chunk: string) => (text += chunk));
    await once(stream, "response");
    await send({ id: "e1" });
    await expect.poll(() => text).toContain('"id":"e1"');
    const ended = once(session, "close");
    await served.api.close();
    await ended;
  });

  test("lets nobody listen any more once the last client has gone", async () => {
    expect(served.host.live.observed).toBe(false);
    await open();
    await open("?run=x").catch(() => undefined);
    expect(served.host.live.observed).toBe(true);
    for (const stream of streams.splice(0)) stream.abort();
    await expect.poll(() => served.host.live.observed).toBe(false);
  });
});

describe("the live stream of one run", () => {
  beforeEach(async () => {
    served = await serve({}, { programs });
    await deploy(served.host, { a: {}, b: { after: [{ step: "a" }] } });
  });

  test("begins with its history, goes on live, and ends with the run", async () => {
    const id = await send();
    await expect.poll(async () => (await served.host.runs.load(id))?.history.length).toBe(2);
    const stream = await open(`?run=${id}&type=history`);
    expect((await take(stream, 2)).map((message) => message.id)).toEqual(["1", "2"]);
    release();
    expect((await rest(stream)).map(({ id, data }) => [id, data.entry.type])).toEqual([
      ["3", "step.completed"],
      ["4", "run.completed"],
    ]);
  });

  test("continues behind the entry that the client has seen, and answers 204 when that was the last", async () => {
    release();
    const id = await send();
    await served.host.finished(id);
    const stream = await open(`?run=${id}`, { "last-event-id": "2" });
    expect((await rest(stream)).map((message) => message.id)).toEqual(["3", "4"]);
    const done = await fetch(`${served.url}/v1/live?run=${id}`, { headers: { "last-event-id": "4" } });
    expect(done.status).toBe(204);
    const odd = await open(`?run=${id}`, { "last-event-id": "x" });
    expect(await rest(odd)).toHaveLength(4);
  });

  test("tells nothing of other runs", async () => {
    const id = await send();
    const stream = await open(`?run=${id}&type=history`);
    const other = await send();
    release();
    await served.host.finished(other);
    expect((await rest(stream)).every(({ data }) => data.runId === id)).toBe(true);
  });

  test("of a run that is not there is answered 404", async () => {
    expect((await served.get("/v1/live?run=nowhere")).body.error.code).toBe("ERR_RUN_UNKNOWN");
    expect(served.host.live.observed).toBe(false);
  });
});

test("an entry that is recorded while the history is read comes once, and in order", async () => {
  let appended: (() => void) | undefined;
  served = await serve(
    {},
    {
      programs,
      change: (host) => ({
        ...host,
        runs: {
          ...host.runs,
          async load(id) {
            const run = await host.runs.load(id);
            // Between this read and its answer, the run goes on to its end.
            if (appended !== undefined && host.live.observed) {
              appended();
              await host.finished(id);
            }
            return run;
          },
        },
      }),
    },
  );
  await deploy(served.host, { a: {}, b: { after: [{ step: "a" }] } });
  const id = await send();
  await expect.poll(async () => (await served.host.runs.load(id))?.history.length).toBe(2);
  appended = release;
  const stream = await open(`?run=${id}&type=history`);
  expect((await rest(stream)).map((message) => message.id)).toEqual(["1", "2", "3", "4"]);
});

describe("clients that listen", () => {
  test("are sent signs of life", async () => {
    served = await serve({ heartbeatMs: 20 });
    const controller = new AbortController();
    const response = await fetch(`${served.url}/v1/live`, { signal: controller.signal });
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.split(": still here\n\n").length > 3) break;
    }
    expect(text).toMatch(/^retry: 2000\n\n(?:: still here\n\n)+$/);
    controller.abort();
  });

  test("stay connected for longer than a connection may be idle, over both protocols", async () => {
    served = await serve({ timeouts: { idleMs: 300, requestMs: 300 } });
    const stream = await open();
    const session = connectHttp2(served.url);
    const request = session.request({ ":path": "/v1/live" });
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    // Signs of life for three times as long.
    await expect.poll(() => text.split(": still here").length, { timeout: 10_000 }).toBeGreaterThan(9);
    served.host.live.publish({ type: "notice", at: 1, level: "warn", message: "still" });
    expect(await take(stream, 1)).toHaveLength(1);
    await expect.poll(() => text).toContain('"message":"still"');
    session.destroy();
  });

  test("are refused once there are too many", async () => {
    served = await serve({ liveClients: 1 });
    await open();
    const { status, body } = await served.get("/v1/live");
    expect([status, body.error.code]).toEqual([503, "ERR_LIVE_TOO_MANY"]);
  });

  test("are cut off when they don't read, while others go on", async () => {
    served = await serve({ liveBacklog: 1_000_000 });
    const slow = connect(served.port, "127.0.0.1");
    slow.on("error", () => {});
    slow.write("GET /v1/live HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await once(slow, "data");
    slow.pause();
    const stream = await open();
    const message: LiveMessage = { type: "notice", at: 1, level: "warn", message: "x".repeat(100_000) };
    // More than its buffers in the kernel and here can hold together; the other client reads as it comes.
    for (let count = 0; count < 200; count += 1) {
      served.host.live.publish(message);
      expect(await take(stream, 1)).toHaveLength(1);
    }
    slow.resume();
    await once(slow, "close");
    served.host.live.publish(message);
    expect(await take(stream, 1)).toHaveLength(1);
  });

  test("that read get a burst larger than what fits a connection at once", async () => {
    served = await serve();
    const stream = await open();
    for (let count = 0; count < 1_000; count += 1) {
      served.host.live.publish({ type: "notice", at: count, level: "warn", message: "x".repeat(5_000) });
    }
    const seen = await take(stream, 1_000);
    expect(seen.map(({ data }) => data.at)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
  });

  test("see their stream end when the API closes", async () => {
    served = await serve();
    const stream = await open();
    served.host.live.publish({ type: "notice", at: 1, level: "warn", message: "last" });
    await served.api.close();
    expect((await rest(stream)).map(({ data }) => data.message)).toEqual(["last"]);
  });
});
