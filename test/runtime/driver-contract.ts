import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Attempt, AttemptResult, Driver, StepProgram } from "../../runtime/driver.ts";
import type { StepInput } from "../../runtime/input.ts";
import { defaultLimits, type Limits } from "../../runtime/limits.ts";

/** The steps that every runtime is tested with, and what each does: the same logic, whatever it is written in. */
export const stepPrograms = {
  echo: "puts out its input as it got it",
  nothing: "puts out nothing, and is done",
  text: 'puts out the text "two\\nlines: 世界\\n", which is not JSON',
  nested: "puts out 1,001 opening brackets and as many closing ones",
  failing: 'says "it is broken" in its log, or where else its runtime has failures say something, and fails',
  fatal: 'says "it can\'t be mended" likewise, and fails for good',
  sleeping: "does not end within a minute",
  flooding: "puts out more than 100,000 bytes",
  logging: 'logs the lines "first" and "second: 世界", and puts out true',
} as const;

/** A driver with the contract's steps. */
export interface DriverFixture {
  readonly driver: Driver;
  readonly programs: Readonly<Record<keyof typeof stepPrograms, StepProgram>>;
  /** Closes what the driver needs, once it is closed itself. */
  dispose(): Promise<void>;
}

/** What a runtime has of what others have. */
interface Traits {
  /** False where steps have no log; their failures say something all the same. */
  readonly logs?: boolean;
  /** Attempts that run at once. */
  readonly parallel?: number;
  /** True where a result says what exactly was run. */
  readonly ran?: boolean;
}

/** Generous, since many tests may share the machine. */
const limits: Limits = { ...defaultLimits, wallMs: 50_000, outputBytes: 4 * 1024 * 1024 };

/** An input like a host's. */
function stepInput(data: StepInput["event"]["data"] = { plan: "free" }): StepInput {
  return {
    event: { id: "event-1", name: "user/signed.up", data, ts: 1_700_000_000_000 },
    steps: { before: [1, null, { deep: true }] },
    ctx: {
      runId: "run-1",
      functionId: "welcome",
      functionVersion: "0123456789ab",
      stepId: "greet",
      attempt: 1,
      deadline: 1_700_000_030_000,
      idempotencyKey: "run-1:greet",
    },
  };
}

type Program = keyof typeof stepPrograms;
type Parts = Partial<Omit<Attempt, "program" | "limits">> & { readonly limits?: Partial<Limits> };

function attempt({ programs }: DriverFixture, program: Program, parts: Parts = {}): Attempt {
  return {
    input: stepInput(),
    ...parts,
    program: programs[program],
    limits: { ...limits, ...parts.limits },
  };
}

/** What every driver holds to, whatever it runs steps on. */
export function driverContract(
  name: string,
  open: () => Promise<DriverFixture>,
  { logs: hasLogs = true, parallel = 4, ran = false }: Traits = {},
): void {
  describe(`the contract of drivers, held by ${name}:`, () => {
    let fixture: DriverFixture;
    const run = (program: Program, parts?: Parts): Promise<AttemptResult> =>
      fixture.driver.execute(attempt(fixture, program, parts));
    const traces = ran ? { ran: expect.any(String) } : {};
    const log = (...messages: string[]) =>
      hasLogs ? messages.map((message) => ({ level: "info", message })) : [];

    beforeAll(async () => {
      fixture = await open();
    });
    afterAll(async () => {
      await fixture?.driver.close();
      await fixture?.dispose();
    });

    test("every program can be got ready", async () => {
      for (const program of Object.values(fixture.programs)) {
        expect(await fixture.driver.prepare(program, limits)).toBeUndefined();
      }
    });

    test("a step gets its input, and its output is kept", async () => {
      expect(await run("echo")).toEqual({ ok: true, output: stepInput(), logs: [], ...traces });
    });

    test("an input of a megabyte arrives whole", async () => {
      const input = stepInput("x".repeat(1024 * 1024));
      expect(await run("echo", { input })).toEqual({ ok: true, output: input, logs: [], ...traces });
    });

    test("Unicode is kept in both directions", async () => {
      const input = stepInput({ text: "Grüße, 世界 👋 \u0000 \u2028 \ud83d", 'quote"\\': "\r\n\t" });
      expect(await run("echo", { input })).toEqual({ ok: true, output: input, logs: [], ...traces });
    });

    test("no output is null", async () => {
      expect(await run("nothing")).toEqual({ ok: true, output: null, logs: [], ...traces });
    });

    test("text that is not JSON is a string", async () => {
      expect(await run("text")).toEqual({ ok: true, output: "two\nlines: 世界", logs: [], ...traces });
    });

    test("an output nested too deep is refused", async () => {
      expect(await run("nested")).toMatchObject({
        ok: false,
        failure: { code: "ERR_STEP_OUTPUT_INVALID", retry: false },
      });
    });

    test("a failure may be tried again, and says what the step said", async () => {
      expect(await run("failing")).toEqual({
        ok: false,
        failure: {
          code: "ERR_STEP_FAILED",
          message: expect.stringContaining("it is broken"),
          retry: true,
        },
        logs: log("it is broken"),
        ...traces,
      });
    });

    test("a failure for good is not tried again", async () => {
      expect(await run("fatal")).toEqual({
        ok: false,
        failure: {
          code: "ERR_STEP_FATAL",
          message: expect.stringContaining("it can't be mended"),
          retry: false,
        },
        logs: log("it can't be mended"),
        ...traces,
      });
    });

    test.runIf(hasLogs)("the log has the lines that the step logged", async () => {
      expect(await run("logging")).toEqual({
        ok: true,
        output: true,
        logs: log("first", "second: 世界"),
        ...traces,
      });
    });

    test.runIf(hasLogs)("a log over its limit ends the attempt, and is kept until there", async () => {
      const result = await run("logging", { limits: { logBytes: 8 } });
      expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_LOG_TOO_LARGE" } });
      expect(result.logs.map(({ message }) => message).join("\n")).toMatch(/^first\ns?e?$/);
    });

    test("an output over its limit ends the attempt", async () => {
      expect(await run("flooding", { limits: { outputBytes: 100_000 } })).toMatchObject({
        ok: false,
        failure: { code: "ERR_STEP_OUTPUT_TOO_LARGE", retry: false },
      });
    });

    test("a step that takes too long is ended, and the next one is none the worse for it", async () => {
      const code = "ERR_STEP_TIMEOUT";
      expect(await run("sleeping", { limits: { wallMs: 700 } })).toMatchObject({
        ok: false,
        failure: { code, retry: true },
      });
      expect(await run("echo")).toMatchObject({ ok: true });
    });

    test("a step whose run is cancelled is ended", async () => {
      const cancel = new AbortController();
      const cancelled = run("sleeping", { signal: cancel.signal });
      const timer = setTimeout(() => cancel.abort(), 500);
      expect(await cancelled).toMatchObject({ ok: false, failure: { code: "ERR_STEP_CANCELLED" } });
      clearTimeout(timer);
    });

    test("a step whose run was cancelled before does not begin", async () => {
      expect(await run("failing", { signal: AbortSignal.abort() })).toEqual({
        ok: false,
        failure: { code: "ERR_STEP_CANCELLED", message: expect.any(String), retry: true },
        logs: [],
      });
    });

    test("several attempts at once don't mix", async () => {
      const inputs = Array.from({ length: 2 * parallel }, (_, index) => stepInput({ index }));
      const results = await Promise.all(inputs.map((input) => run("echo", { input })));
      expect(results.map((result) => (result.ok ? result.output : result.failure))).toEqual(inputs);
    });

    test("closing ends what runs, and waits for it", async () => {
      const other = await open();
      try {
        const running = Array.from({ length: 2 }, () => other.driver.execute(attempt(other, "sleeping")));
        await new Promise((resolve) => setTimeout(resolve, 500));
        let ended = 0;
        for (const one of running) void one.finally(() => (ended += 1));
        await Promise.all([other.driver.close(), other.driver.close()]);
        await Promise.resolve();
        expect(ended).toBe(running.length);
        for (const result of await Promise.all(running)) {
          expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_CANCELLED" } });
        }
        expect(await other.driver.execute(attempt(other, "echo"))).toMatchObject({
          ok: false,
          failure: { code: "ERR_STEP_CANCELLED" },
        });
      } finally {
        await other.driver.close();
        await other.dispose();
      }
    });
  });
}
