import { headers, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createNatsBroker } from "../../../host/broker/nats.ts";
import type { Broker, StoredEvent } from "../../../host/broker/broker.ts";
import { systemClock } from "../../../host/clock.ts";
import { until } from "../broker/broker-contract.ts";
import { accept } from "./accept.ts";
import { useInstallation, type Installation } from "./installation.ts";
import { findNatsServer } from "./find-server.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("a message published by any NATS client", () => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll });
  let on: Installation;
  let broker: Broker;
  let client: NatsConnection;
  let seen: StoredEvent[];
  beforeEach(async () => {
    on = await installation.open(systemClock);
    broker = await createNatsBroker(on.session, accept);
    client = on.session.connection;
    seen = [];
    await broker.consumeEvents(
      async (stored) => {
        seen.push(stored);
        return "done";
      },
      { maxInFlight: 10 },
    );
  });
  afterEach(async () => {
    await broker.close();
    await on.dispose();
  });

  const publish = async (name: string, payload: string, header: Readonly<Record<string, string>> = {}) => {
    const all = headers();
    for (const [key, value] of Object.entries(header)) all.set(key, value);
    await client.request(`${on.prefix}.events.${name}`, payload, { headers: all, timeout: 5_000 });
  };
  const received = async (): Promise<StoredEvent["event"]> => {
    await until(() => seen.length > 0);
    return seen[0]!.event;
  };
  const dead = async (count: number) => {
    await until(async () => (await broker.deadLetters.count()) === count);
    return broker.deadLetters.list({ limit: 10 });
  };

  test("is an event named by its subject; what it says of itself stays", async () => {
    await publish("user.signed_up", '{"id":"e1","data":{"plan":"pro"},"user":{"id":"u1"},"ts":5,"v":"2"}');
    expect(await received()).toEqual({
      id: "e1",
      name: "user.signed_up",
      data: { plan: "pro" },
      user: { id: "u1" },
      ts: 5,
      v: "2",
    });
  });

  test("gets an id and a time when it has none, the same whenever it is read", async () => {
    await publish("a/b", '{"data":{"n":1}}');
    const event = await received();
    expect(event).toMatchObject({ name: "a/b", data: { n: 1 }, ts: seen[0]!.storedAt });
    expect(event.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab]/);
    expect((await broker.readEvents({ limit: 5 }))[0]).toEqual(seen[0]);
    expect((await broker.readEvent(event.id))?.event).toEqual(event);
  });

  test("has the id of its Nats-Msg-Id, by which the server knows a second one", async () => {
    await publish("a/b", "{}", { "Nats-Msg-Id": "m1" });
    await publish("a/b", "{}", { "Nats-Msg-Id": "m1" });
    await publish("a/b", "{}", { "Nats-Msg-Id": "m2" });
    await until(() => seen.length === 2);
    expect(seen.map(({ event }) => event.id)).toEqual(["m1", "m2"]);
  });

  test("may be a CloudEvent, structured or binary", async () => {
    const context = { specversion: "1.0", id: "1", source: "/shop", type: "order.paid", userid: "u1" };
    await publish("order.paid", JSON.stringify({ ...context, data: { n: 1 } }), {
      "Content-Type": "application/cloudevents+json",
    });
    const binary = Object.entries({ ...context, id: "2" }).map(([name, value]) => [`ce-${name}`, value]);
    await publish("order.paid", '{"n":2}', {
      ...Object.fromEntries(binary),
      "content-type": "application/json",
    });
    await until(() => seen.length === 2);
    expect(seen.map(({ event }) => [event.id, event.name, event.data, event.user])).toEqual([
      ["/shop|1", "order.paid", { n: 1 }, "u1"],
      ["/shop|2", "order.paid", { n: 2 }, "u1"],
    ]);
  });

  test.each([
    ["no JSON", "a/b", "{not json", {}, "ERR_BODY_JSON", /no JSON/],
    ["no object", "a/b", "[1]", {}, "ERR_EVENT_INVALID", /object/],
    ["another name than its subject's", "a/b", '{"name":"c/d"}', {}, "ERR_EVENT_INVALID", /"c\/d".*"a\/b"/],
    ["an unknown field", "a/b", '{"dta":1}', {}, "ERR_EVENT_INVALID", /dta/],
    ["a subject that is no name's", "a%2Eb", "{}", {}, "ERR_EVENT_INVALID", /subject/],
    [
      "a CloudEvent without a source",
      "x",
      "",
      { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "x" },
      "ERR_CLOUDEVENT_INVALID",
      /source/,
    ],
  ] as const)(
    "with %s becomes a dead letter that says so",
    async (_, name, payload, header, code, message) => {
      await publish(name, payload, header);
      const [letter] = await dead(1);
      expect(letter).toMatchObject({ code, payload, subject: `${on.prefix}.events.${name}` });
      expect(letter!.message).toMatch(message);
      expect(letter!.problems.length).toBeGreaterThan(0);
      expect(await broker.deadLetters.get(letter!.seq)).toEqual(letter);
      expect(seen).toEqual([]);
      expect(await broker.readEvents({ limit: 5 })).toEqual([]);
    },
  );

  test("that became a dead letter can be submitted again, or discarded", async () => {
    await publish("a/b", '{"dta":1}', { "X-From": "cron" });
    await publish("a/b", "no");
    const [first, second] = await dead(2);
    expect(await broker.deadLetters.list({ afterSeq: first!.seq, limit: 5 })).toEqual([second]);
    expect(await broker.deadLetters.resubmit(first!.seq)).toBe(true);
    // It is still no event: a new dead letter takes its place.
    await until(async () =>
      (await broker.deadLetters.list({ limit: 5 })).some(({ seq }) => seq > second!.seq),
    );
    expect(await broker.deadLetters.get(first!.seq)).toBeUndefined();
    expect(await broker.deadLetters.resubmit(first!.seq)).toBe(false);
    expect(await broker.deadLetters.discard(second!.seq)).toBe(true);
    expect(await broker.deadLetters.discard(second!.seq)).toBe(false);
    expect(await broker.deadLetters.count()).toBe(1);
  });
});
