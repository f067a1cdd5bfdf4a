import { expect } from "vitest";
import { until } from "../host/broker/broker-contract.ts";
import { seeded } from "../random.ts";
import type { Findings } from "./checker.ts";
import type { EventName } from "./functions.ts";
import { startPublisher, type ChaosPublisher } from "./publisher.ts";
import type { World } from "./world.ts";

/** A fault with events flowing before, while and after it happens. */
export interface Passage {
  /** Resolves to what was found, of which nothing is broken; and to what publishers were told besides. */
  through(fault: (publisher: ChaosPublisher) => Promise<void>, how?: PassageOptions): Promise<Passed>;
}

interface Passed extends Findings {
  readonly refused: ReadonlyMap<string, number>;
}

interface PassageOptions {
  readonly names?: readonly EventName[];
  readonly senders?: number;
  readonly padding?: number;
  /** Events that must be acknowledged before the fault, and after it. */
  readonly flowing?: number;
}

/** All passages through one world: what an earlier one acknowledged must stand after the later ones too. */
export function createPassage(world: World): Passage {
  const acknowledged = new Map<string, EventName>();
  let passages = 0;
  return {
    async through(fault, { flowing = 15, senders = 4, ...how } = {}) {
      passages += 1;
      const { hosts, client, prefix } = world;
      const random = seeded(passages);
      const label = `p${passages}`;
      const publisher = startPublisher({
        hosts,
        client,
        prefix,
        label,
        random,
        senders,
        pauseMs: 30,
        ...how,
      });
      await until(() => publisher.acknowledged.size >= flowing);
      await fault(publisher);
      const before = publisher.acknowledged.size;
      await until(() => publisher.acknowledged.size >= before + flowing);
      await publisher.stop();
      for (const [id, name] of publisher.acknowledged) acknowledged.set(id, name);
      const findings = await world.settle(acknowledged);
      expect(findings.broken).toEqual([]);
      return { ...findings, refused: publisher.refused };
    },
  };
}
