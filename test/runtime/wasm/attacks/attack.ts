import { expect } from "vitest";
import type { Capabilities } from "../../../../runtime/capabilities.ts";
import type { AttemptResult, LogLine, StepFailure } from "../../../../runtime/driver.ts";
import { runtimeErrors } from "../../../../runtime/errors.ts";
import type { RuntimeErrorCode } from "../../../../runtime/errors.ts";
import type { Json } from "../../../../runtime/json.ts";
import type { Limits } from "../../../../runtime/limits.ts";
import type { Engine } from "../../../../runtime/wasm/engine.ts";
import type { Harness } from "../harness.ts";

/** What a step tries, and what must become of it. */
export interface Attack extends Expected {
  readonly name: string;
  readonly artifact: () => Uint8Array | Promise<Uint8Array>;
  readonly capabilities?: Capabilities;
  /** What must become of it on an engine that answers otherwise, for the reason that stands beside it. */
  readonly on?: Partial<Record<Engine["name"], Expected>>;
}

interface Expected {
  readonly limits?: Partial<Limits>;
  /** The code with which the attempt fails. */
  readonly code?: RuntimeErrorCode;
  /** What the failure must say: the limit and its amount, where there is one. */
  readonly message?: RegExp;
  /** It fails before it runs, with the same failure when it is prepared. */
  readonly refused?: true;
  /** An attack that comes to nothing: the step ends well, with this output. */
  readonly output?: Json;
  /** What it logged until then, all of it. */
  readonly logs?: readonly LogLine[];
}

/** Nothing of what a guest says goes on without a bound: a failure's message is stored, sent and shown. */
const longestMessage = 4_001;

/** Runs the attack, and holds what comes of it to what must. */
export async function attempt(harness: Harness, engine: Engine["name"], attack: Attack): Promise<void> {
  const bytes = await attack.artifact();
  const expected = attack.on?.[engine] ?? attack;
  const { limits } = expected;
  const { capabilities } = attack;
  if (expected.refused) expectFailure(await harness.prepare(bytes, limits), expected);
  const result: AttemptResult = await harness.run(bytes, {
    ...(limits && { limits }),
    ...(capabilities && { capabilities }),
  });
  if (expected.code === undefined) {
    expect(result).toMatchObject({ ok: true, output: expected.output });
  } else expectFailure(result.ok ? undefined : result.failure, expected);
  if (expected.logs !== undefined) expect(result.logs).toEqual(expected.logs);
}

function expectFailure(failure: StepFailure | undefined, { code, message }: Expected): void {
  expect(failure).toMatchObject({ code });
  if (failure === undefined || code === undefined) return;
  expect(failure.retry).toBe(runtimeErrors[code].retry);
  if (message !== undefined) expect(failure.message).toMatch(message);
  expect(failure.message.length).toBeLessThanOrEqual(longestMessage);
}
