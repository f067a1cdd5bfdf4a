import { createHash } from "node:crypto";
import {
  GetAliasCommand,
  ListVersionsByFunctionCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishCode, type LambdaCode, type PublishOptions } from "../../../runtime/lambda/publish.ts";
import { skipped as noEmulator, startEmulator } from "./emulator.ts";
import { skipped as noMoto, startMoto, type Moto } from "./moto.ts";
import { recorded } from "./recorded.ts";
import { exception, type Answer, type Asked } from "./service.ts";

const aws = recorded();
const arn = "arn:aws:lambda:eu-central-1:123456789012:function:charge";

function code(text: string, endpoint: string): LambdaCode {
  const zip = zipSync({ "index.js": strToU8(text) }, { mtime: "2000-01-01" });
  const sha256 = createHash("sha256").update(zip).digest("hex");
  return { function: "charge", endpoint, alias: "live", sha256, zip: () => Promise.resolve(zip) };
}

const digestOf = ({ sha256 }: LambdaCode): string => Buffer.from(sha256, "hex").toString("base64");

describe.skipIf(noMoto)("publishing code to moto's Lambda", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.close());

  const versions = async () => {
    const listed = await moto.client.send(new ListVersionsByFunctionCommand({ FunctionName: "charge" }));
    return listed.Versions?.map(({ Version, CodeSha256 }) => [Version, CodeSha256]);
  };
  const aliased = async () =>
    (await moto.client.send(new GetAliasCommand({ FunctionName: "charge", Name: "live" }))).FunctionVersion;

  test("says where there is no such function", async () => {
    expect(await publishCode(code("1", moto.endpoint))).toMatchObject({
      ok: false,
      failure: { code: "ERR_LAMBDA_FUNCTION", message: expect.stringContaining(arn) },
    });
  });

  test("updates, publishes a version, and points the alias there", async () => {
    await moto.createFunction("charge");
    const [one, two] = [code("1", moto.endpoint), code("2", moto.endpoint)];
    expect(await publishCode(one, { dryRun: true })).toEqual({ ok: true, changed: true });
    expect(await versions()).toHaveLength(1);

    const pinned = { function: arn, qualifier: "1" };
    expect(await publishCode(one)).toEqual({ ok: true, changed: true, pinned });
    expect(await aliased()).toBe("1");
    expect(await publishCode(one, { dryRun: true })).toEqual({ ok: true, changed: false, pinned });

    expect(await publishCode(two)).toEqual({
      ok: true,
      changed: true,
      pinned: { ...pinned, qualifier: "2" },
    });
    expect(await aliased()).toBe("2");
    expect(await versions()).toEqual([
      ["$LATEST", digestOf(two)],
      ["1", digestOf(one)],
      ["2", digestOf(two)],
    ]);
  });

  test("sends no code that the function has already", async () => {
    const same = code("2", moto.endpoint);
    const unasked = { ...same, zip: () => Promise.reject(new Error("it was asked for")) };
    expect(await publishCode(unasked)).toMatchObject({ ok: true, changed: false });
    await moto.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "charge", Timeout: 9 }));
    expect(await publishCode(unasked)).toMatchObject({ ok: true, changed: false });
  });
});

describe.skipIf(noEmulator)("publishing code to the emulator", () => {
  test("leaves it as it is: it has one function, and no versions", async () => {
    const emulator = await startEmulator();
    expect(await publishCode(code("1", emulator.endpoint))).toEqual({ ok: true, changed: false });
    await emulator.close();
  });
});

/** Lambda's API in a certain state; what is not given is as it is when all goes well. */
async function lambda(
  answers: Readonly<Record<string, (asked: Asked, times: number) => Answer>>,
  options: PublishOptions = {},
) {
  const times = new Map<string, number>();
  const { endpoint } = await aws.serve((asked) => {
    const what = asked.url.pathname.split("/")[4] ?? "";
    const key = `${asked.method} ${what}`;
    times.set(key, (times.get(key) ?? 0) + 1);
    return (answers[key] ?? usual[key])?.(asked, times.get(key) ?? 0);
  });
  return publishCode(code("1", endpoint), options);
}

const wanted = digestOf(code("1", ""));
const configuration = (parts: object, status = 200): Answer => ({
  status,
  body: {
    FunctionName: "charge",
    FunctionArn: arn,
    PackageType: "Zip",
    CodeSha256: "other",
    State: "Active",
    LastUpdateStatus: "Successful",
    ...parts,
  },
});
const usual: Parameters<typeof lambda>[0] = {
  "GET configuration": () => configuration({}),
  "PUT code": () => configuration({ CodeSha256: wanted, LastUpdateStatus: "InProgress" }),
  "POST versions": () => configuration({ FunctionArn: `${arn}:7`, Version: "7", CodeSha256: wanted }, 201),
  "GET aliases": () => ({ status: 200, body: { Name: "live", FunctionVersion: "6" } }),
  "PUT aliases": () => ({ status: 200, body: { Name: "live", FunctionVersion: "7" } }),
};

describe("publishing code to Lambda", () => {
  test("waits until an update is over, those before it too, and until the version is ready", async () => {
    const states = ["InProgress", "Successful", "InProgress", "InProgress", "Successful"];
    const result = await lambda({
      "GET configuration": (asked, times) =>
        asked.url.searchParams.has("Qualifier")
          ? configuration({ State: times < 7 ? "Pending" : "Active" })
          : configuration({ LastUpdateStatus: states[times - 1] }),
    });
    expect(result).toEqual({ ok: true, changed: true, pinned: { function: arn, qualifier: "7" } });
    const asked = aws
      .asked()
      .map(({ method, url }) => `${method} ${url.pathname.split("/").slice(4).join("/")}`);
    const looks = Array<string>(5).fill("GET configuration");
    expect(asked).toEqual([
      ...looks.slice(0, 2),
      "PUT code",
      ...looks.slice(2),
      "POST versions",
      "GET configuration",
      "GET configuration",
      "GET aliases/live",
      "PUT aliases/live",
    ]);
  });

  test("has the version published of this code, and of no other's that came between", async () => {
    const message = "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (y).";
    const result = await lambda({
      "POST versions": () => exception(400, "InvalidParameterValueException", message),
    });
    expect(JSON.parse(aws.asked().at(-1)?.body ?? "")).toEqual({ CodeSha256: wanted });
    expect(result).toMatchObject({
      failure: { code: "ERR_LAMBDA_REFUSED", message: expect.stringContaining(message) },
    });
  });

  test("makes an alias that is not there, and leaves one that is right", async () => {
    const none = exception(404, "ResourceNotFoundException", `Alias not found: ${arn}:live`);
    await lambda({ "GET aliases": () => none, "POST aliases": () => ({ status: 201, body: {} }) });
    expect(JSON.parse(aws.asked().at(-1)?.body ?? "")).toEqual({ Name: "live", FunctionVersion: "7" });
    expect(aws.asked().at(-1)?.method).toBe("POST");
    await lambda({ "GET aliases": () => ({ status: 200, body: { FunctionVersion: "7" } }) });
    expect(aws.asked().at(-1)?.method).toBe("GET");
  });

  test.each([
    [
      "an update that failed",
      {
        "GET configuration": (_: Asked, times: number) =>
          configuration(
            times === 1
              ? {}
              : { LastUpdateStatus: "Failed", LastUpdateStatusReason: "the KMS key is disabled" },
          ),
      },
      "ERR_LAMBDA_CONFIGURATION",
      "the KMS key is disabled",
    ],
    [
      "a function of an image",
      { "GET configuration": () => configuration({ PackageType: "Image" }) },
      "ERR_LAMBDA_CONFIGURATION",
      "container image",
    ],
    [
      "no permission",
      {
        "PUT code": () =>
          exception(403, "AccessDeniedException", "not authorized to perform: lambda:UpdateFunctionCode"),
      },
      "ERR_LAMBDA_ACCESS",
      "lambda:UpdateFunctionCode",
    ],
    [
      "an update in progress",
      { "PUT code": () => exception(409, "ResourceConflictException", "An update is in progress") },
      "ERR_LAMBDA_UNAVAILABLE",
      "An update is in progress",
    ],
    [
      "no room for code",
      { "PUT code": () => exception(400, "CodeStorageExceededException", "Code storage limit exceeded.") },
      "ERR_LAMBDA_REFUSED",
      "Code storage limit exceeded.",
    ],
  ])("tells of %s", async (_name, answers, failure, words) => {
    expect(await lambda(answers)).toMatchObject({
      ok: false,
      failure: { code: failure, message: expect.stringContaining(words) },
    });
  });

  test("does not mind what an earlier update failed with", async () => {
    const result = await lambda({
      "GET configuration": (_, times) =>
        configuration({ LastUpdateStatus: times === 1 ? "Failed" : "Successful" }),
    });
    expect(result).toMatchObject({ ok: true });
  });

  test("waits no longer than it may", async () => {
    const never = { "GET configuration": () => configuration({ LastUpdateStatus: "InProgress" }) };
    expect(await lambda(never, { waitMs: 300 })).toMatchObject({
      failure: { code: "ERR_LAMBDA_UNAVAILABLE", message: expect.stringContaining("300 ms") },
    });
    await expect(lambda(never, { signal: AbortSignal.timeout(300) })).rejects.toThrow("timeout");
  });
});
