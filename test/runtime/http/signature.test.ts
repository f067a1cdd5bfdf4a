import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHttpDriver } from "../../../runtime/http/http.ts";
import { signedHeaders } from "../../../runtime/http/sign.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import { section } from "../../documentation.ts";
import { startReceiver } from "./receiver.ts";

type Check = (headers: object, body: string, secret: string) => boolean;

let folder: string;
let isFromMillrace: Check;
let program = "";
beforeAll(async () => {
  [, program = ""] = /```js\n([^]*?)```/.exec(section("HTTP steps")) ?? [];
  folder = await mkdtemp(join(tmpdir(), "millrace-receiver-"));
  const file = join(folder, "receiver.mjs");
  await writeFile(file, program);
  ({ isFromMillrace } = (await import(pathToFileURL(file).href)) as { isFromMillrace: Check });
});
afterAll(() => rm(folder, { recursive: true }));

const ctx = {
  runId: "run-1",
  functionId: "f",
  functionVersion: "0123456789ab",
  stepId: "notify",
  attempt: 1,
  deadline: 1,
  idempotencyKey: "run-1:notify",
};
const body = JSON.stringify({ text: "Grüße 👋" });
const secret = "correct horse battery staple";

test("the receiver of the documentation takes what was signed", () => {
  expect(isFromMillrace(signedHeaders("run-1:a", Date.now(), body, secret), body, secret)).toBe(true);
});

test("and checks in ten lines the requests that steps make, with either kind of secret", async () => {
  expect(program.trim().split("\n").length).toBeLessThanOrEqual(10);
  const keys = new Map([
    ["TEXT", secret],
    ["BASE64", `whsec_${Buffer.from(secret).toString("base64")}`],
    ["OTHER", "another"],
  ]);
  const receiver = await startReceiver(({ path, headers, body }, response) => {
    const known = isFromMillrace(headers, body, keys.get(path.slice(1)) ?? "");
    response.writeHead(known ? 200 : 401).end(known ? "1" : "a stranger");
  });
  const driver = createHttpDriver({ secrets: keys });
  for (const [path, name, ok] of [
    ["/TEXT", "TEXT", true],
    ["/BASE64", "BASE64", true],
    ["/BASE64", "OTHER", false],
    ["/TEXT", undefined, false],
  ] as const) {
    const program = receiver.program(path, name === undefined ? {} : { secret: name });
    const input = { event: { id: "e", name: "a", data: "Grüße 👋", ts: 1 }, steps: {}, ctx };
    const result = await driver.execute({ program, input, limits: defaultLimits });
    expect(result.ok, `${path} with ${String(name)}`).toBe(ok);
  }
  await driver.close();
  await receiver.close();
});

test.each([
  [
    "another body",
    (): boolean => isFromMillrace(signedHeaders("id", Date.now(), body, secret), `${body} `, secret),
  ],
  ["another secret", (): boolean => isFromMillrace(signedHeaders("id", Date.now(), body, "x"), body, secret)],
  [
    "no signature",
    (): boolean => isFromMillrace(signedHeaders("id", Date.now(), body, undefined), body, secret),
  ],
  ["nothing at all", (): boolean => isFromMillrace({}, body, secret)],
  [
    "one of ten minutes ago",
    (): boolean => isFromMillrace(signedHeaders("id", Date.now() - 600_000, body, secret), body, secret),
  ],
  [
    "another id",
    (): boolean =>
      isFromMillrace(
        { ...signedHeaders("id", Date.now(), body, secret), "webhook-id": "other" },
        body,
        secret,
      ),
  ],
])("and refuses %s", (_, check) => {
  expect(check()).toBe(false);
});

test("a secret in base64 is signed with as the specification's own example has it", () => {
  // Of the specification's reference libraries.
  const headers = signedHeaders(
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330_000,
    '{"test": 2432232314}',
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  );
  expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});
