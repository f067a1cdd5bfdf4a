import { clockSkewMs } from "../clock.ts";
import { anyRuntime } from "../nats/names.ts";
import { headersOf } from "../nats/publisher.ts";
import type { NatsSession } from "../nats/session.ts";

/** The timers of parked runs, as the server's message schedules. */
interface NatsTimers {
  /** Durable when it resolves. */
  arm(runId: string, wakeAt: number): Promise<void>;
  /** Arms the timer of a run that was not there until now once more, if it may have fired and found nothing to wake. */
  stored(runId: string, wakeAt: number | undefined): Promise<void>;
  /** A timer that is not needed: fires no more, unless the message is lost. */
  clear(runId: string, wakeAt: number): void;
}

/** A timer is armed so much ahead: the server fires it up to 200 ms late, and the host waits for the rest. In milliseconds. */
const timerLeadMs = 300;

export function createNatsTimers({ names, publisher, clock }: NatsSession): NatsTimers {
  const arm = async (runId: string, wakeAt: number): Promise<void> => {
    // oxlint-disable-next-line eslint/no-restricted-globals -- writes a time down, reads no clock
    const at = new Date(wakeAt - timerLeadMs).toISOString();
    const header = headersOf({
      "Nats-Schedule": `@at ${at}`,
      "Nats-Schedule-Target": names.wake(anyRuntime, runId),
    });
    await publisher.publish(names.timer(runId, wakeAt), "", header);
  };
  return {
    arm,
    async stored(runId, wakeAt) {
      if (wakeAt !== undefined && wakeAt - timerLeadMs - clock.now() <= clockSkewMs) await arm(runId, wakeAt);
    },
    clear(runId, wakeAt) {
      // Takes the schedule's place, and goes by itself.
      const header = headersOf({ "Nats-TTL": "1s", "Nats-Rollup": "sub" });
      void publisher.publish(names.timer(runId, wakeAt), "", header).catch(() => undefined);
    },
  };
}
