import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Broker, Outcome, StoredEvent } from "../../../host/broker/broker.ts";
import type { Event } from "../../../host/event/event.ts";

/** What a broker under test offers besides the port. */
export interface BrokerFixture {
  readonly broker: Broker;
  /** Closes the broker and opens it anew on the same storage. */
  reopen(): Promise<Broker>;
  dispose(): Promise<void>;
}

function event(id: string, name = "a/b", data: Event["data"] = {}): Event {
  return { id, name, data, ts: 1 };
}

/** The outcome of a handler that only takes note: it has so many notes then. */
function done(notes: number): Outcome {
  return notes > 0 ? "done" : "back";
}

/** Resolves once `holds` does, looking again after every turn of the event loop and a short pause. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Everything that the port `broker` promises; every implementation must pass it. */
export function brokerContract(
  name: string,
  open: () => Promise<BrokerFixture>,
  { outlivesClose }: { readonly outlivesClose: boolean },
): void {
  describe(`broker contract: ${name}`, () => {
    let fixture: BrokerFixture;
    let broker: Broker;
    beforeEach(async () => {
      fixture = await open();
      broker = fixture.broker;
    });
    afterEach(() => fixture.dispose());

    test("hands over events in the order in which they were published", async () => {
      const seen: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 1 });
      await broker.publish([event("1"), event("2")]);
      await broker.publish([event("3")]);
      await until(() => seen.length === 3);
      expect(seen).toEqual(["1", "2", "3"]);
    });

    test("hands over events that were published before anyone consumed", async () => {
      await broker.publish([event("1"), event("2")]);
      const seen: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 10 });
      await until(() => seen.length === 2);
      expect(seen).toEqual(["1", "2"]);
    });

    test("keeps the event as it was published, with a growing seq", async () => {
      const full: Event = {
        id: "e1",
        name: "user/signed.up",
        data: { text: "ü\u0000\n𝒳", n: 1.5, deep: [{ a: null }] },
        user: { id: "u1" },
        ts: 1_700_000_000_123,
        v: "2",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      };
      const seen: StoredEvent[] = [];
      await broker.consumeEvents(async (stored) => done(seen.push(stored)), { maxInFlight: 10 });
      await broker.publish([full, event("e2")]);
      await until(() => seen.length === 2);
      expect(seen[0]?.event).toEqual(full);
      expect(seen[1]!.seq).toBeGreaterThan(seen[0]!.seq);
      expect((await broker.readEvent("e1"))?.event).toEqual(full);
      expect(await broker.readEvent("none")).toBeUndefined();
    });

    test("takes an id once: the same id again is a duplicate and is not handed over", async () => {
      const seen: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 10 });
      expect(await broker.publish([event("1"), event("2"), event("1")])).toEqual([
        { id: "1", duplicate: false },
        { id: "2", duplicate: false },
        { id: "1", duplicate: true },
      ]);
      expect(await broker.publish([event("2"), event("3")])).toEqual([
        { id: "2", duplicate: true },
        { id: "3", duplicate: false },
      ]);
      await until(() => seen.length === 3);
      expect(seen).toEqual(["1", "2", "3"]);
    });

    test("takes many batches at once, each as a whole", async () => {
      const seen = new Set<string>();
      await broker.consumeEvents(async ({ event }) => done(seen.add(event.id).size), { maxInFlight: 100 });
      const batches = Array.from({ length: 300 }, (_, b) => [
        event(`${b}-0`),
        event(`${b}-1`),
        event(`${b}-2`),
      ]);
      const published = await Promise.all(batches.map((batch) => broker.publish(batch)));
      expect(published.flat().every(({ duplicate }) => !duplicate)).toBe(true);
      await until(() => seen.size === 900);
      expect(await broker.readEvents({ limit: 1_000 })).toHaveLength(900);
    });

    test("hands an event over again when the handler rejects, and only that one", async () => {
      const seen: string[] = [];
      await broker.consumeEvents(
        async ({ event }) => {
          seen.push(event.id);
          if (event.id === "1" && seen.filter((id) => id === "1").length < 3) throw new Error("not yet");
          return "done";
        },
        { maxInFlight: 1 },
      );
      await broker.publish([event("1"), event("2")]);
      await until(() => seen.length === 4);
      expect(seen.toSorted()).toEqual(["1", "1", "1", "2"]);
    });

    test("never has more handlers under way than allowed", async () => {
      let underWay = 0;
      let most = 0;
      let handled = 0;
      await broker.consumeEvents(
        async () => {
          most = Math.max(most, ++underWay);
          await new Promise((resolve) => setImmediate(resolve));
          underWay -= 1;
          handled += 1;
          return "done";
        },
        { maxInFlight: 3 },
      );
      await broker.publish(Array.from({ length: 50 }, (_, i) => event(`e${i}`)));
      await until(() => handled === 50);
      expect(most).toBe(3);
    });

    test("hands over more events than it holds in memory, each once and in order", async () => {
      const count = 5_000;
      for (let i = 0; i < count; i += 500) {
        await broker.publish(Array.from({ length: 500 }, (_, k) => event(`e${i + k}`)));
      }
      const seen: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 7 });
      await broker.publish([event("last")]);
      await until(() => seen.length > count);
      expect(seen).toEqual([...Array.from({ length: count }, (_, i) => `e${i}`), "last"]);
    });

    test("waits for the handlers under way when it closes, and hands over nothing after that", async () => {
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      const consumer = await broker.consumeEvents(
        async ({ event }) => {
          seen.push(event.id);
          await gate.promise;
          return "done";
        },
        { maxInFlight: 1 },
      );
      await broker.publish([event("1"), event("2")]);
      await until(() => seen.length === 1);
      let closed = false;
      const closing = consumer.close().then(() => (closed = true));
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toBe(false);
      gate.resolve();
      await closing;
      expect(seen).toEqual(["1"]);
    });

    test("reads stored events by name and by place, in either direction", async () => {
      await broker.publish([event("1", "x"), event("2", "y"), event("3", "x"), event("4", "x")]);
      const ids = async (filter: Parameters<Broker["readEvents"]>[0]): Promise<string[]> =>
        (await broker.readEvents(filter)).map((stored) => stored.event.id);
      expect(await ids({ limit: 10 })).toEqual(["1", "2", "3", "4"]);
      expect(await ids({ name: "x", limit: 10 })).toEqual(["1", "3", "4"]);
      expect(await ids({ name: "x", limit: 2, newestFirst: true })).toEqual(["4", "3"]);
      const first = (await broker.readEvents({ limit: 1 }))[0]!;
      expect(await ids({ name: "x", afterSeq: first.seq, limit: 1 })).toEqual(["3"]);
      expect(await ids({ beforeSeq: first.seq + 1, newestFirst: true, limit: 5 })).toEqual(["1"]);
      expect(await ids({ name: "none", limit: 5 })).toEqual([]);
    });

    test("says up to where all events were acknowledged", async () => {
      const gate = Promise.withResolvers<void>();
      const seen = new Map<string, number>();
      await broker.consumeEvents(
        async ({ event, seq }) => {
          seen.set(event.id, seq);
          if (event.id === "2") await gate.promise;
          return "done";
        },
        { maxInFlight: 10 },
      );
      await broker.publish([event("1"), event("2"), event("3")]);
      await until(() => seen.size === 3);
      await until(async () => (await broker.settled()) === seen.get("1"));
      gate.resolve();
      await until(async () => (await broker.settled()) === seen.get("3"));
    });

    test("hands over wakes, also those asked for before anyone listened", async () => {
      const seen: string[] = [];
      await broker.wake("run-1");
      await broker.consumeWakes(async (id) => done(seen.push(id)), { maxInFlight: 2, runtimes: ["wasm"] });
      await broker.wake("run-2");
      await until(() => seen.length === 2);
      expect(seen).toEqual(["run-1", "run-2"]);
    });

    test("hands a wake over again when the handler rejects", async () => {
      const seen: string[] = [];
      await broker.consumeWakes(
        async (id) => {
          seen.push(id);
          if (seen.length === 1) throw new Error("not yet");
          return "done";
        },
        { maxInFlight: 2, runtimes: ["wasm"] },
      );
      await broker.wake("run-1");
      await until(() => seen.length === 2);
      expect(seen).toEqual(["run-1", "run-1"]);
    });

    if (!outlivesClose) return;

    test("keeps what was not acknowledged over a restart", async () => {
      const first: string[] = [];
      await broker.consumeEvents(
        ({ event }) => {
          first.push(event.id);
          return event.id === "1" ? Promise.resolve("done" as const) : Promise.reject(new Error("never"));
        },
        { maxInFlight: 1 },
      );
      await broker.publish([event("1"), event("2"), event("3")]);
      await broker.wake("run-1");
      await until(() => first.length === 3);
      broker = await fixture.reopen();
      const seen: string[] = [];
      const woken: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 1 });
      await broker.consumeWakes(async (id) => done(woken.push(id)), { maxInFlight: 1, runtimes: ["wasm"] });
      await until(() => seen.includes("2") && seen.includes("3") && woken.length === 1);
      const again = seen.filter((id) => id !== "1");
      // Where hosts share a store, what comes again has no order.
      expect(broker.leased ? again.toSorted() : again).toEqual(["2", "3"]);
      expect(woken).toEqual(["run-1"]);
      expect((await broker.publish([event("2")]))[0]?.duplicate).toBe(true);
    });

    test("does not hand over again after a restart what was acknowledged before it", async () => {
      const seen: string[] = [];
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 1 });
      await broker.publish([event("1"), event("2")]);
      await until(() => seen.length === 2);
      broker = await fixture.reopen();
      await broker.consumeEvents(async ({ event }) => done(seen.push(event.id)), { maxInFlight: 1 });
      await broker.publish([event("3")]);
      await until(() => seen.includes("3"));
      expect(seen).toEqual(["1", "2", "3"]);
    });
  });
}
