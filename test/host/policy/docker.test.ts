import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPolicyFile } from "../../../host/cli/settings/policy-file.ts";
import { policyProblems } from "../../../host/policy/policy.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import type { Capabilities } from "../../../runtime/capabilities.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-policy-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Where in the policy a docker step of the function "shop" is refused. */
async function refused(policy: object, capabilities: Capabilities = {}): Promise<readonly unknown[]> {
  const file = join(folder, "policy.json");
  await writeFile(file, JSON.stringify(policy));
  const program = { runtime: { type: "docker" }, capabilities } as const;
  const step = { id: "a", limits: defaultLimits, program };
  return policyProblems(await readPolicyFile(file), "shop", step).map(({ pointer }) => pointer);
}

describe("a docker step", () => {
  test.each<[object, Capabilities, readonly string[]]>([
    [{ docker: ["shop"] }, {}, []],
    [{ docker: ["sh*"] }, {}, []],
    [{}, {}, ["/capabilities/docker"]],
    [{ docker: ["other"] }, {}, ["/capabilities/docker"]],
    [{ docker: ["*"] }, { network: "run" }, ["/capabilities/network"]],
    [{ docker: ["*"] }, { network: "build" }, ["/capabilities/network"]],
    [{ docker: ["*"], network: ["shop"] }, { network: "run" }, []],
  ])("is held to the policy %j with %j", async (capabilities, asked, pointers) => {
    expect(await refused({ capabilities }, asked)).toEqual(pointers);
  });
});
