import type { Figure } from "./figure.ts";
import { natsFigures } from "./nats-steps.ts";

/** Runs of three steps in sequence on JetStream. */
export function run(): Promise<readonly Figure[]> {
  return natsFigures("nats-three-steps", 3);
}
