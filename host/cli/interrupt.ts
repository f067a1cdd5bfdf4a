import { constants } from "node:os";

/** The reason of an abort by Ctrl-C or SIGTERM. */
export class Interrupted extends Error {
  /** As shells give it: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}.`);
    this.name = "Interrupted";
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Turns Ctrl-C and SIGTERM into an AbortSignal. */
export interface Interrupt {
  /** Its reason is an Interrupted. */
  readonly signal: AbortSignal;
  close(): void;
}

/** The first signal aborts; the second one ends the process at once. */
export function catchInterrupts(): Interrupt {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const reason = new Interrupted(name);
    // eslint-disable-next-line unicorn/no-process-exit -- the user insists.
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    close: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}
