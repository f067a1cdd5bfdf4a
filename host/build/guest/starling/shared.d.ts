import type { StepKind, StepModule } from "../evaluate.ts";

declare global {
  /** What the builder puts before a guest of StarlingMonkey: takes what the guest shares with the step, and gives its loader. */
  const __millraceStep: (shared: object) => () => Promise<StepModule>;

  /** How the step is written. */
  const __millraceKind: StepKind;

  /** Whether it may use fetch. */
  const __millraceHttp: boolean;

  /** Which lines of the step's files the bundle's lines come from, as JSON. */
  const __millraceLines: string;
}
