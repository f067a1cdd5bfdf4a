import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadProject } from "../../host/build/project.ts";
import { exception, invoked, startService, type Answer, type Service } from "../runtime/lambda/service.ts";
import { projectFolder, type ProjectFixture } from "./build/project-fixture.ts";
import { startProject, type ProjectHost } from "./build/project-host.ts";

const before = { ...process.env };
const environment = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
let fixture: ProjectFixture;
let host: ProjectHost | undefined;
let service: Service | undefined;

beforeEach(async () => {
  Object.assign(process.env, environment);
  fixture = await projectFolder();
});
afterEach(async () => {
  await host?.close();
  await service?.close();
  await fixture.dispose();
  process.env = { ...before };
});

/** What becomes of a run whose one step is a Lambda function that gives these answers, one after the other. */
async function runOf(...answers: readonly Answer[]) {
  let next = 0;
  service = await startService(() => answers[next++]);
  const runtime = { type: "lambda", function: "charge", endpoint: service.endpoint, fatal: ["NoSuchCard"] };
  const steps = { charge: { runtime, retry: { retries: 3, backoff: { initial: "20ms" } } } };
  await fixture.write({
    "function.json": JSON.stringify({ id: "shop", triggers: [{ event: "a/b" }], steps }),
  });
  host = await startProject(await loadProject(fixture.folder), `${fixture.folder}/.millrace`);
  const run = await host.run({ name: "a/b", data: {} });
  const [step] = run.steps;
  return { run, attempts: step?.attempts ?? [], output: step?.output, asked: service.asked };
}

const throttled = exception(429, "TooManyRequestsException", "Rate Exceeded.");

describe("a step on Lambda", () => {
  test("that was throttled is tried again by the run's policy, with one request an attempt", async () => {
    const down = exception(503, "ServiceUnavailable", "");
    const { run, attempts, output, asked } = await runOf(throttled, down, throttled, invoked({ paid: true }));
    expect(run.status).toBe("completed");
    expect(output).toEqual({ paid: true });
    expect(attempts.map(({ failure }) => failure?.code)).toEqual([
      "ERR_LAMBDA_THROTTLED",
      "ERR_LAMBDA_UNAVAILABLE",
      "ERR_LAMBDA_THROTTLED",
      undefined,
    ]);
    expect(asked).toHaveLength(4);
    const keys = asked.map(({ body }) => (JSON.parse(body) as { ctx: Record<string, unknown> }).ctx);
    expect(keys.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(new Set(keys.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  test("fails when the policy's attempts are over, and Lambda hears of no other", async () => {
    const { run, attempts, asked } = await runOf(throttled, throttled, throttled, throttled, invoked(1));
    expect(run).toMatchObject({ status: "failed", failure: { code: "ERR_LAMBDA_THROTTLED" } });
    expect([attempts.length, asked.length]).toEqual([4, 4]);
  });

  test("that fails by a type of its list is not tried again, and its log is the run's", async () => {
    const error = { errorType: "NoSuchCard", errorMessage: "it was cancelled" };
    const log = "2026-11-24T23:41:29.166Z\t8f507cfc-3a3e-4b0d-9f1b-0b0d5c2ef8e1\tWARN\tasked the bank";
    const { run, attempts, asked } = await runOf(invoked(error, { functionError: "Unhandled", log }));
    expect(run).toMatchObject({
      status: "failed",
      failure: { code: "ERR_STEP_FATAL", message: "NoSuchCard: it was cancelled" },
    });
    expect(attempts).toMatchObject([{ logLines: 1, ran: "charge:7" }]);
    expect(asked).toHaveLength(1);
  });

  test.each([
    ["The role defined for the function cannot be assumed by Lambda.", "role defined for the function"],
    [
      "User: x is not authorized to perform: lambda:InvokeFunction on resource: charge",
      "lambda:InvokeFunction",
    ],
  ])("that may not be run is not tried again: %s", async (message, told) => {
    const { run, asked } = await runOf(exception(403, "AccessDeniedException", message));
    const failure = { code: "ERR_LAMBDA_ACCESS", message: expect.stringContaining(told) };
    expect(run).toMatchObject({ status: "failed", failure });
    expect(asked).toHaveLength(1);
  });
});
