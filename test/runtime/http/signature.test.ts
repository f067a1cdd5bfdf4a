import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signedHeaders } from "../../../runtime/http/sign.ts";
import { section } from "../../documentation.ts";

type Check = (headers: object, body: string, secret: string) => boolean;

let folder: string;
let isFromMillrace: Check;
beforeAll(async () => {
  const [, program = ""] = /```js\n([^]*?)```/.exec(section("HTTP steps")) ?? [];
  folder = await mkdtemp(join(tmpdir(), "millrace-receiver-"));
  const file = join(folder, "receiver.mjs");
  await writeFile(file, program);
  ({ isFromMillrace } = (await import(pathToFileURL(file).href)) as { isFromMillrace: Check });
});
afterAll(() => rm(folder, { recursive: true }));

const body = JSON.stringify({ text: "Grüße 👋" });
const secret = "correct horse battery staple";

test("the receiver of the documentation takes what was signed", () => {
  expect(isFromMillrace(signedHeaders("run-1:a", Date.now(), body, secret), body, secret)).toBe(true);
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
