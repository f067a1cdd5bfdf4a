import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPolicyFile } from "../../../host/cli/settings/policy-file.ts";
import type { MillraceError } from "../../../host/errors.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { PinnedOptions } from "../../../host/function/version.ts";
import { checkPolicy } from "../../../host/policy/policy.ts";
import type { Json } from "../../../runtime/json.ts";
import { temporaryFolder } from "../cli/cli-fixture.ts";

const arn = "arn:aws:lambda:eu-central-1:123456789012:function:";
const endpoint = "http://127.0.0.1:9000";

async function policyOf(capabilities: object) {
  const file = join(await temporaryFolder(), "policy.json");
  await writeFile(file, JSON.stringify({ capabilities }));
  return readPolicyFile(file);
}

/** What a policy says of a function with one Lambda step. */
async function refusals(
  capabilities: object,
  runtime: Readonly<Record<string, Json>>,
  { id = "shop", pinned }: { readonly id?: string; readonly pinned?: PinnedOptions } = {},
) {
  const steps = { one: { path: "file://./x", runtime: { type: "lambda" as const, ...runtime } } };
  const version = functionVersion({ id, triggers: [{ event: "a" }], steps }, {}, 0, pinned);
  try {
    checkPolicy(await policyOf(capabilities), [version]);
    return [];
  } catch (error) {
    return (error as MillraceError).problems.map(({ message, pointer }) => [pointer, message]);
  }
}

describe("a policy allows Lambda functions to be invoked", () => {
  const lambda = [
    { functions: ["shop"], invoke: ["shop-*", `${arn}billing`], endpoints: [endpoint] },
    { functions: ["*"], invoke: ["hello"] },
  ];

  test.each([
    ["by a pattern of their names", { function: "shop-charge" }],
    ["by the name that a step has without saying", {}],
    ["by their names, whatever the account", { function: `${arn}shop-charge` }],
    ["by their ARNs", { function: `${arn}billing` }],
    ["by a rule for all functions", { function: "hello" }],
    ["at an endpoint that it names", { function: "hello", endpoint }],
  ])("%s", async (_name, runtime) => {
    expect(await refusals({ lambda }, runtime)).toEqual([]);
  });

  test.each([
    ["another name", { function: "other" }],
    ["an ARN's name that has the pattern in another place", { function: `${arn}not-shop-charge` }],
    ["a name where the rule has an ARN", { function: "billing" }],
    ["an alias that looks like the name", { function: "other:shop-charge" }],
  ])("and no others: %s", async (_name, runtime) => {
    expect(await refusals({ lambda }, runtime)).toEqual([
      [
        "/capabilities/lambda",
        `step one of shop asks for the Lambda function ${runtime.function}, which the policy allows to this function for shop-*, ${arn}billing, hello`,
      ],
    ]);
  });

  test("to no function that it does not name, and none where it says nothing of them", async () => {
    expect(await refusals({ lambda: lambda[0] }, { function: "shop-charge" }, { id: "other" })).toHaveLength(
      1,
    );
    expect(await refusals({}, { function: "shop-charge" })).toEqual([
      [
        "/capabilities/lambda",
        "step one of shop asks for the Lambda function shop-charge, which the policy allows to no step of this function",
      ],
    ]);
  });

  test("at no endpoint that it does not name: requests there are signed with the host's credentials", async () => {
    const runtime = { function: "hello", endpoint: "http://attacker.example" };
    const [[, message] = []] = await refusals({ lambda }, runtime);
    expect(message).toBe(
      `step one of shop asks for Lambda at ${runtime.endpoint}, which the policy allows to this function for ${endpoint}`,
    );
  });

  test("by what was pinned, whatever the document says", async () => {
    const pinned = { one: { function: `${arn}other`, qualifier: "1" } };
    expect(await refusals({ lambda }, { function: "shop-charge" }, { pinned })).toHaveLength(1);
  });
});

test("a rule that lacks its functions, or what they may invoke, is refused with its place", async () => {
  await expect(policyOf({ lambda: { invoke: ["a"] } })).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" });
  await expect(policyOf({ lambda: [{ functions: ["a"], invoke: "b" }] })).rejects.toMatchObject({
    problems: [{ pointer: "/capabilities/lambda/0/invoke" }],
  });
});
