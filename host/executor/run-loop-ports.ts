import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { StoredEvent } from "../broker/broker.ts";
import type { Random } from "../clock.ts";
import type { Concurrency } from "../flow-control/concurrency.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { RunHeader } from "../state/state.ts";
import type { Lookout } from "./lookout.ts";
import type { Broker } from "../broker/broker.ts";
import type { Definitions } from "./definitions.ts";
import type { Links } from "../links.ts";
import type { Kin } from "./kin.ts";
import type { Outbox } from "./outbox.ts";
import type { RecordPorts } from "./record.ts";
import type { RunView } from "../run/run-view.ts";

/** What the loops of all runs share. */
export interface RunLoopPorts extends RecordPorts {
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly random: Random;
  readonly lookout: Lookout;
  readonly outbox: Outbox;
  readonly concurrency: Concurrency;
  readonly kin: Kin;
  readonly links: Pick<Links, "addresses">;
  readonly events: Pick<Broker, "settled">;
  readonly definitions: Pick<Definitions, "isActive" | "get">;
  /** A run whose next timer is due within this time is not parked, in milliseconds. */
  readonly holdMs: number;
  /** Hears of every timer that was stored. */
  armed(wakeAt: number): void;
  /** True once the host starts nothing new. */
  draining(): boolean;
}

/** A stored run that this host may advance: all that a loop begins with. */
export interface TakenRun {
  readonly header: RunHeader;
  readonly revision: number;
  readonly definition: Definition;
  readonly view: RunView & { readonly event: Event };
  /** It was just created; or its host was executing it when that ended, and there is no other. */
  readonly origin?: "new" | "orphan";
  /** The timer that it was parked with. */
  readonly timer?: number | undefined;
  readonly offered?: readonly StoredEvent[];
}
