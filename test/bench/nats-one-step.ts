import type { Figure } from "./figure.ts";
import { natsFigures } from "./nats-steps.ts";

/** Runs of one step on JetStream. */
export function run(): Promise<readonly Figure[]> {
  return natsFigures("nats-one-step", 1);
}
