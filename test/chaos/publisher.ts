import { headers, type NatsConnection } from "@nats-io/transport-node";
import type { Below } from "../random.ts";
import { eventNames, type EventName } from "./functions.ts";
import { pause } from "./insist.ts";
import type { HostControl } from "./host-control.ts";

/** Publishes events until it is stopped, and remembers which of them were acknowledged. */
export interface ChaosPublisher {
  /** Acknowledged events: id → name. */
  readonly acknowledged: ReadonlyMap<string, EventName>;
  /** Publishes that were not acknowledged, by what came instead; each is tried again with the same ids. */
  readonly refused: ReadonlyMap<string, number>;
  /** Takes no new events, and resolves when all that were begun are acknowledged. */
  stop(): Promise<void>;
}

interface ChaosPublisherOptions {
  readonly hosts: readonly HostControl[];
  /** A client's own connection, past all hosts. */
  readonly client: NatsConnection;
  readonly prefix: string;
  /** Begins the ids of the events; another one for each publisher on one store. */
  readonly label: string;
  readonly random: Below;
  readonly names?: readonly EventName[];
  /** Senders at work at once, each of which waits for its acknowledgement. */
  readonly senders: number;
  /** The pause of a sender between two publishes, in milliseconds. */
  readonly pauseMs: number;
  /** Bytes of padding in each event; none by default. */
  readonly padding?: number;
}

interface ChaosEvent {
  readonly id: string;
  readonly name: EventName;
}

export function startPublisher(options: ChaosPublisherOptions): ChaosPublisher {
  const { hosts, client, prefix, label, random, senders, pauseMs, names = eventNames } = options;
  const data = { padding: "x".repeat(options.padding ?? 0) };
  const acknowledged = new Map<string, EventName>();
  const refused = new Map<string, number>();
  let stopped = false;
  let count = 0;

  const next = (): ChaosEvent => {
    count += 1;
    return { id: `${label}-${count}`, name: names[random(names.length)] ?? "chaos.quick" };
  };

  const direct = async ({ id, name }: ChaosEvent): Promise<string | undefined> => {
    const header = headers();
    header.set("Nats-Msg-Id", id);
    try {
      const answer = await client.request(`${prefix}.events.${name}`, JSON.stringify({ data }), {
        headers: header,
        timeout: 3_000,
      });
      const { error } = answer.json<{ error?: { err_code: number } }>();
      return error === undefined ? undefined : `nats ${error.err_code}`;
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  };

  const publish = async (events: readonly ChaosEvent[]): Promise<string | undefined> => {
    const well = hosts.filter((host) => host.well);
    const host = well[random(Math.max(well.length, 1))];
    if (host !== undefined && random(3) > 0) return host.publish(events.map((event) => ({ ...event, data })));
    for (const event of events) {
      const code = await direct(event);
      if (code !== undefined) return code;
    }
    return undefined;
  };

  const send = async (): Promise<void> => {
    while (!stopped) {
      const events = Array.from({ length: random(5) === 0 ? 1 + random(4) : 1 }, next);
      for (;;) {
        const code = await publish(events);
        if (code === undefined) break;
        refused.set(code, (refused.get(code) ?? 0) + 1);
        await pause(100);
      }
      for (const { id, name } of events) acknowledged.set(id, name);
      await pause(pauseMs);
    }
  };

  const sending = Promise.all(Array.from({ length: senders }, send));
  return {
    acknowledged,
    refused,
    async stop() {
      stopped = true;
      await sending;
    },
  };
}
