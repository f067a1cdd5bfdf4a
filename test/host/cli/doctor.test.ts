import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { brokerResults } from "../../../host/cli/doctor/broker-checks.ts";
import { storeSettingsOf } from "../../../host/cli/settings/flags.ts";
import { createHost } from "../../../host/index.ts";
import { temporaryFolder } from "./cli-fixture.ts";

test("a store in a file is looked at, and not made", async () => {
  const file = join(await temporaryFolder(), "folder", "host.db");
  const look = async (): Promise<object[]> => {
    const found: object[] = [];
    for await (const result of brokerResults(storeSettingsOf({ broker: `sqlite:${file}` })))
      found.push(result);
    return found;
  };
  expect(await look()).toMatchObject([
    { status: "ok", detail: `${file} is not there yet: the first host makes it` },
  ]);
  expect(existsSync(join(file, ".."))).toBe(false);

  const host = await createHost({ store: `sqlite:${file}` });
  await expect(look()).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  await host.close();
  expect(await look()).toMatchObject([{ status: "ok", detail: `sqlite:${file} opens, with 0 functions` }]);
});
