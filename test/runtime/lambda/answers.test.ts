import { describe, expect, test } from "vitest";
import { createConnect } from "../../../runtime/lambda/connect.ts";
import { createLambdaDriver } from "../../../runtime/lambda/lambda.ts";
import { attempt, lambdaProgram } from "./attempts.ts";
import { recorded } from "./recorded.ts";
import { exception, invoked, type Service } from "./service.ts";

const aws = recorded();
const arn = "arn:aws:lambda:eu-central-1:123456789012:function:shop-charge:7";

describe("what Lambda answers", () => {
  test("is asked for synchronously, by name and qualifier, with the log's end", async () => {
    const { input } = attempt({});
    expect(await aws.answered(invoked({ ok: true }))).toEqual({
      ok: true,
      output: { ok: true },
      logs: [],
      ran: "shop-charge:7",
    });
    const [asked] = aws.asked();
    expect(asked).toMatchObject({ method: "POST", function: "shop-charge" });
    expect(asked?.url.pathname).toBe("/2015-03-31/functions/shop-charge/invocations");
    expect(asked?.url.search).toBe("?Qualifier=7");
    expect(asked?.headers).toMatchObject({
      "x-amz-invocation-type": "RequestResponse",
      "x-amz-log-type": "Tail",
      authorization: expect.stringContaining("AKIAEXAMPLE/"),
    });
    expect(asked?.headers.authorization).toContain("/eu-central-1/lambda/");
    expect(JSON.parse(asked?.body ?? "")).toEqual(input);
  });

  test("is asked for in the region of the ARN, or the one that the document names", async () => {
    const named = { function: "arn:aws:lambda:us-west-2:123456789012:function:charge" };
    await aws.answered(invoked(1), named);
    expect(aws.asked()[0]?.headers.authorization).toContain("/us-west-2/lambda/");
    await aws.driver.execute(attempt({ endpoint: aws.endpoint(), region: "sa-east-1" }));
    expect(aws.asked()[1]?.headers.authorization).toContain("/sa-east-1/lambda/");
  });

  test.each([
    ["nothing", "", null],
    ["text that is not JSON", "plain text\n", "plain text"],
    [
      "an output that looks like an error's",
      { errorType: "X", errorMessage: "m" },
      { errorType: "X", errorMessage: "m" },
    ],
  ])("is an output by the step contract: %s", async (_name, body, output) => {
    expect(await aws.answered(invoked(body))).toMatchObject({ ok: true, output });
  });

  test("is a failure where Lambda says so, with the end of the log", async () => {
    const id = "8f507cfc-3a3e-4b0d-9f1b-0b0d5c2ef8e1";
    const log = [
      `START RequestId: ${id} Version: 7`,
      `2026-11-24T23:41:29.166Z\t${id}\tWARN\tlow on funds`,
      `END RequestId: ${id}`,
    ].join("\n");
    const error = { errorType: "PaymentError", errorMessage: "refused", trace: ["PaymentError: refused"] };
    expect(await aws.answered(invoked(error, { log, functionError: "Unhandled" }))).toEqual({
      ok: false,
      failure: { code: "ERR_STEP_FAILED", message: "PaymentError: refused", retry: true },
      logs: [
        { level: "debug", message: `START RequestId: ${id} Version: 7` },
        { level: "warn", message: "low on funds" },
        { level: "debug", message: `END RequestId: ${id}` },
      ],
      ran: "shop-charge:7",
    });
  });

  test.each([
    [
      {
        errorType: "Sandbox.Timedout",
        errorMessage: "RequestId: 1 Error: Task timed out after 3.00 seconds",
      },
      "ERR_STEP_TIMEOUT",
      true,
    ],
    [{ errorMessage: "2026-11-24T23:41:29Z 1 Task timed out after 3.00 seconds" }, "ERR_STEP_TIMEOUT", true],
    [
      { errorType: "Runtime.OutOfMemory", errorMessage: "RequestId: 1 Error: out of memory" },
      "ERR_STEP_MEMORY",
      true,
    ],
    [
      {
        errorType: "Runtime.ExitError",
        errorMessage: "RequestId: 1 Error: Runtime exited with error: signal: killed",
      },
      "ERR_STEP_MEMORY",
      true,
    ],
    [
      {
        errorType: "Runtime.ExitError",
        errorMessage: "RequestId: 1 Error: Runtime exited with error: exit status 1",
      },
      "ERR_STEP_FAILED",
      true,
    ],
    [
      { errorType: "Function.ResponseSizeTooLarge", errorMessage: "Response payload size exceeded" },
      "ERR_STEP_OUTPUT_TOO_LARGE",
      false,
    ],
    [
      { errorType: "Runtime.ImportModuleError", errorMessage: "Error: Cannot find module 'index'" },
      "ERR_LAMBDA_HANDLER",
      false,
    ],
    [
      { errorType: "Runtime.HandlerNotFound", errorMessage: "index.handler is undefined or not exported" },
      "ERR_LAMBDA_HANDLER",
      false,
    ],
    [{ errorMessage: "an old runtime" }, "ERR_STEP_FAILED", true],
    ["no JSON at all", "ERR_STEP_FAILED", true],
  ])("is the failure that %j is", async (error, code, retry) => {
    expect(await aws.answered(invoked(error, { functionError: "Unhandled" }))).toMatchObject({
      ok: false,
      failure: { code, retry },
    });
  });
});

describe("an input over 6 MiB", () => {
  test("is refused before the call, with what is largest in it", async () => {
    const service = await aws.serve(() => invoked(1));
    const { endpoint } = service;
    const most = 6 * 1024 * 1024;
    const steps = { resize: "x".repeat(most), small: 1 };
    expect(await aws.driver.execute(attempt({ endpoint }, {}, { steps }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_PAYLOAD",
        message: expect.stringContaining(`the output of resize alone has ${most + 2}`),
        retry: false,
      },
    });
    expect(service.asked).toHaveLength(0);

    const rest = Buffer.byteLength(JSON.stringify(attempt({}, "").input));
    const fitting = attempt({ endpoint }, "x".repeat(most - rest));
    expect(await aws.driver.execute(fitting)).toMatchObject({ ok: true });
    expect(service.asked[0]?.body).toHaveLength(most);
  });
});

describe("options that can't be used", () => {
  test.each([
    [{ function: "" }, "function"],
    [{ qualifier: 7 }, "qualifier"],
    [{ region: null }, "region"],
    [{ endpoint: "ftp://lambda" }, "endpoint"],
    [{ fatal: "ValidationError" }, "fatal"],
  ])("%j are named", async (runtime, name) => {
    const wanted = {
      code: "ERR_LAMBDA_OPTIONS",
      message: expect.stringContaining(`\`${name}\``),
      retry: false,
    };
    expect(await aws.driver.execute(attempt(runtime))).toMatchObject({ failure: wanted });
    expect(await aws.driver.prepare(lambdaProgram(runtime), attempt({}).limits)).toMatchObject(wanted);
  });
});

describe("many at once", () => {
  test("are bounded by the host's parallelism, and share its connections", async () => {
    let now = 0;
    let most = 0;
    const service = await aws.serve(async ({ function: name }) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
      return invoked(name);
    });
    const bounded = createLambdaDriver({ parallelism: 3 });
    const { endpoint } = service;
    const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
    const results = await Promise.all(
      names.map((name) => bounded.execute(attempt({ endpoint, function: name }))),
    );
    expect(results.map((result) => result.ok && result.output)).toEqual(names);
    expect(most).toBe(3);
    await bounded.close();
  });

  test("are cancelled where they wait", async () => {
    const service = await aws.serve(() => undefined);
    const bounded = createLambdaDriver({ parallelism: 1 });
    const { endpoint } = service;
    const cancel = new AbortController();
    const first = bounded.execute(attempt({ endpoint }, {}, { limits: { wallMs: 300 } }));
    const second = bounded.execute(attempt({ endpoint }, {}, { signal: cancel.signal }));
    cancel.abort();
    expect(await second).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
    expect(await first).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
    await bounded.close();
  });
});

describe("getting ready", () => {
  /** The real API, at an address that counts as AWS's own. */
  const asAws = (service: Service) => {
    const connect = createConnect();
    const place = { endpoint: service.endpoint };
    return createLambdaDriver({ connect: () => connect(place, 1) });
  };

  test("asks AWS whether the function is there and may be invoked, without running it", async () => {
    const service = await aws.serve(() => ({ status: 204 }));
    const atAws = asAws(service);
    expect(await atAws.prepare(lambdaProgram({ qualifier: "7" }), attempt({}).limits)).toBeUndefined();
    expect(service.asked.map(({ headers }) => headers["x-amz-invocation-type"])).toEqual(["DryRun"]);
    await atAws.close();
  });

  test("says what its attempts would fail with", async () => {
    const service = await aws.serve(() =>
      exception(404, "ResourceNotFoundException", `Function not found: ${arn}`),
    );
    const atAws = asAws(service);
    expect(await atAws.prepare(lambdaProgram({}), attempt({}).limits)).toMatchObject({
      code: "ERR_LAMBDA_FUNCTION",
      message: expect.stringContaining(arn),
    });
    await atAws.close();
  });

  test("asks nothing of another endpoint, which may run the function instead", async () => {
    const service = await aws.serve(() => invoked(1));
    expect(
      await aws.driver.prepare(lambdaProgram({ endpoint: service.endpoint }), attempt({}).limits),
    ).toBeUndefined();
    process.env["AWS_ENDPOINT_URL_LAMBDA"] = service.endpoint;
    expect(await aws.driver.prepare(lambdaProgram({}), attempt({}).limits)).toBeUndefined();
    expect(service.asked).toEqual([]);
    expect(await aws.driver.execute(attempt({}))).toMatchObject({ ok: true });
  });
});
