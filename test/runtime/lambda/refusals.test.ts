import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createConnect } from "../../../runtime/lambda/connect.ts";
import { createLambdaDriver } from "../../../runtime/lambda/lambda.ts";
import { freePort } from "../../free-port.ts";
import { attempt, lambdaProgram } from "./attempts.ts";
import { recorded, secrets } from "./recorded.ts";
import { exception } from "./service.ts";

const aws = recorded();
const arn = "arn:aws:lambda:eu-central-1:123456789012:function:shop-charge:7";

describe("what Lambda refuses", () => {
  test.each([
    ["TooManyRequestsException", 429, "ERR_LAMBDA_THROTTLED", true],
    ["EC2ThrottledException", 502, "ERR_LAMBDA_THROTTLED", true],
    ["ThrottlingException", 400, "ERR_LAMBDA_THROTTLED", true],
    ["ServiceException", 500, "ERR_LAMBDA_UNAVAILABLE", true],
    ["InternalFailure", 500, "ERR_LAMBDA_UNAVAILABLE", true],
    ["ServiceUnavailable", 503, "ERR_LAMBDA_UNAVAILABLE", true],
    ["ResourceNotReadyException", 502, "ERR_LAMBDA_UNAVAILABLE", true],
    ["ResourceConflictException", 409, "ERR_LAMBDA_UNAVAILABLE", true],
    ["SnapStartNotReadyException", 409, "ERR_LAMBDA_UNAVAILABLE", true],
    ["SnapStartTimeoutException", 408, "ERR_LAMBDA_UNAVAILABLE", true],
    ["EFSIOException", 410, "ERR_LAMBDA_UNAVAILABLE", true],
    ["EFSMountTimeoutException", 408, "ERR_LAMBDA_UNAVAILABLE", true],
    ["ENILimitReachedException", 502, "ERR_LAMBDA_UNAVAILABLE", true],
    ["EC2UnexpectedException", 502, "ERR_LAMBDA_UNAVAILABLE", true],
    ["SubnetIPAddressLimitReachedException", 502, "ERR_LAMBDA_UNAVAILABLE", true],
    ["AccessDeniedException", 403, "ERR_LAMBDA_ACCESS", false],
    ["ResourceNotFoundException", 404, "ERR_LAMBDA_FUNCTION", false],
    ["InvalidRuntimeException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["InvalidZipFileException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["InvalidSubnetIDException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["InvalidSecurityGroupIDException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["EC2AccessDeniedException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["EFSMountFailureException", 403, "ERR_LAMBDA_CONFIGURATION", false],
    ["KMSAccessDeniedException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["KMSDisabledException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["KMSInvalidStateException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["KMSNotFoundException", 502, "ERR_LAMBDA_CONFIGURATION", false],
    ["SnapStartException", 400, "ERR_LAMBDA_CONFIGURATION", false],
    ["RequestTooLargeException", 413, "ERR_LAMBDA_PAYLOAD", false],
    ["InvalidParameterValueException", 400, "ERR_LAMBDA_REFUSED", false],
    ["InvalidRequestContentException", 400, "ERR_LAMBDA_REFUSED", false],
    ["UnsupportedMediaTypeException", 415, "ERR_LAMBDA_REFUSED", false],
    ["RecursiveInvocationException", 400, "ERR_LAMBDA_REFUSED", false],
    ["UnrecognizedClientException", 403, "ERR_LAMBDA_CREDENTIALS", true],
    ["ExpiredTokenException", 403, "ERR_LAMBDA_CREDENTIALS", true],
  ])("%s (%i) is %s", async (name, status, code, retry) => {
    const result = await aws.answered(exception(status, name, `about ${arn}`));
    expect(result).toMatchObject({
      ok: false,
      failure: { code, retry, message: expect.stringContaining(name) },
    });
    expect(result).toMatchObject({ failure: { message: expect.stringContaining("shop-charge:7") } });
    // Whether it is tried again is the run's policy to say.
    expect(aws.asked()).toHaveLength(1);
  });

  test("is told with AWS's reason, and its id of the request", async () => {
    const body = { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
    const result = await aws.answered(exception(429, "TooManyRequestsException", "Rate Exceeded.", { body }));
    expect(result).toMatchObject({
      failure: {
        message:
          "Lambda did not invoke shop-charge:7: TooManyRequestsException: Rate Exceeded. ReservedFunctionConcurrentInvocationLimitExceeded. (request request-1)",
      },
    });
  });

  test("is tried again when AWS says, where it says so", async () => {
    const headers = { "retry-after": "3" };
    expect(await aws.answered(exception(429, "TooManyRequestsException", "", { headers }))).toMatchObject({
      failure: { retryAfterMs: 3_000 },
    });
  });

  test("has no secrets in what is told of it", async () => {
    const message = `The Canonical String should have been 'x-amz-security-token:${secrets.AWS_SESSION_TOKEN}'`;
    const result = await aws.answered(exception(403, "InvalidSignatureException", message));
    expect(result).toMatchObject({ failure: { code: "ERR_LAMBDA_CREDENTIALS" } });
    for (const secret of Object.values(secrets)) expect(JSON.stringify(result)).not.toContain(secret);
  });

  test.each([
    ["a page of a proxy", { status: 503, body: "<html>busy</html>" }, "ERR_LAMBDA_UNAVAILABLE", true],
    ["a page of a gateway", { status: 403, body: "<html>no</html>" }, "ERR_LAMBDA_REFUSED", false],
    ["nothing", { status: 500 }, "ERR_LAMBDA_UNAVAILABLE", true],
    ["a redirect", { status: 307, headers: { location: "/" } }, "ERR_LAMBDA_REFUSED", false],
  ])("or something on the way to it, with %s, is told by the status", async (_name, answer, code, retry) => {
    const result = await aws.answered(answer);
    expect(result).toMatchObject({
      failure: { code, retry, message: expect.stringContaining(`HTTP status ${answer.status}`) },
    });
  });
});

describe("without", () => {
  test("a region, it says how one is given", async () => {
    delete process.env["AWS_REGION"];
    process.env["AWS_CONFIG_FILE"] = "/nowhere";
    expect(await aws.driver.execute(attempt({ endpoint: "https://127.0.0.1:1" }))).toMatchObject({
      failure: { code: "ERR_LAMBDA_CREDENTIALS", message: expect.stringContaining("region"), retry: true },
    });
  });

  test("credentials, it says so", async () => {
    for (const name of Object.keys(secrets)) delete process.env[name];
    process.env["AWS_SHARED_CREDENTIALS_FILE"] = process.env["AWS_CONFIG_FILE"] = "/nowhere";
    expect(await aws.driver.execute(attempt({ endpoint: "https://127.0.0.1:1" }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_CREDENTIALS",
        message: expect.stringContaining("credentials"),
        retry: true,
      },
    });
  });

  test("the SDK's package, it names what to install", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    const bare = createLambdaDriver({ connect: createConnect(() => Promise.reject(missing)) });
    const wanted = {
      code: "ERR_LAMBDA_PACKAGE",
      message: expect.stringContaining("@aws-sdk/client-lambda"),
      retry: false,
    };
    expect(await bare.prepare(lambdaProgram({}), attempt({}).limits)).toMatchObject(wanted);
    expect(await bare.execute(attempt({}))).toMatchObject({ failure: wanted });
    await bare.close();
  });

  test("anybody who listens, it says so", async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    expect(await aws.driver.execute(attempt({ endpoint }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_UNREACHABLE",
        message: expect.stringContaining("ECONNREFUSED"),
        retry: true,
      },
    });
  });

  test("a name that is known, it says so", async () => {
    expect(await aws.driver.execute(attempt({ endpoint: "https://lambda.invalid" }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_UNREACHABLE",
        message: expect.stringContaining("lambda.invalid"),
        retry: true,
      },
    });
  });

  test("a trusted certificate, it says how another authority is trusted", async () => {
    const tls = new URL("../../fixtures/tls/", import.meta.url);
    const [key, cert] = ["key.pem", "cert.pem"].map((file) => readFileSync(new URL(file, tls)));
    const server = createTlsServer({ key, cert }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await aws.driver.execute(attempt({ endpoint }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_UNREACHABLE",
        message: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
        retry: true,
      },
    });
    server.close();
  });

  test("an answer's end, it says that the connection broke", async () => {
    const server = createTcpServer((socket) => socket.once("data", () => socket.destroy())).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await aws.driver.execute(attempt({ endpoint }))).toMatchObject({
      failure: { code: "ERR_LAMBDA_UNREACHABLE", retry: true },
    });
    server.close();
  });
});
