import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPolicyFile } from "../../../host/cli/settings/policy-file.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { type CapabilitiesDocument, httpGrant } from "../../../host/function/capabilities.ts";
import type { MillraceError } from "../../../host/errors.ts";
import type { FunctionDocument, StepDocument } from "../../../host/function/document.ts";
import { createHost, runId } from "../../../host/index.ts";
import { checkPolicy, type Policy } from "../../../host/policy/policy.ts";
import { matchesPattern } from "../../../host/policy/pattern.ts";
import type { Attempt, Driver } from "../../../runtime/driver.ts";
import { temporaryFolder } from "../cli/cli-fixture.ts";

const version = (id: string, step: StepDocument, more: Partial<FunctionDocument> = {}) =>
  functionVersion({ id, triggers: [{ event: "a" }], steps: { one: step }, ...more }, {}, 0);
const policy: Policy = {
  file: "policy.json",
  capabilities: { env: ["shop", "billing-*"] },
  limits: { wallMs: 30_000, memoryBytes: 128 * 2 ** 20 },
};

describe("a policy", () => {
  test("allows what it names, and limits up to its maximums", () => {
    const step = { path: "file://./x.ts", capabilities: { env: { A: "b" } }, limits: { output: "64MiB" } };
    expect(() => checkPolicy(policy, [version("shop", step), version("billing-eu", step)])).not.toThrow();
  });

  test("lets functions emit the events that a pattern names, and their patterns within it", () => {
    const emits = { ...policy, capabilities: { emit: { "order/*": ["shop"], "x/y": ["other"] } } };
    const emitting = (id: string, ...emit: string[]) => version(id, { capabilities: { emit } });
    expect(() => checkPolicy(emits, [emitting("shop", "order/paid", "order/*", "order/pa*")])).not.toThrow();
    for (const refused of [
      emitting("shop", "x/y"),
      emitting("shop", "order*"),
      emitting("other", "order/paid"),
    ]) {
      expect(() => checkPolicy(emits, [refused])).toThrow(
        expect.objectContaining({ code: "ERR_POLICY_REFUSED" }),
      );
    }
    expect(() => checkPolicy(emits, [emitting("other", "order/*", "x/y")])).toThrow(
      expect.objectContaining({
        problems: [
          {
            code: "ERR_POLICY_CAPABILITY",
            message: "step one of other asks for the event order/*, which the policy allows to shop",
            file: "policy.json",
            pointer: "/capabilities/emit/order~1*",
          },
        ],
      }),
    );
  });

  test("refuses all else, each with the place in the policy and the amounts", () => {
    const step: StepDocument = {
      capabilities: { env: {}, seed: "1" },
      timeout: "31s",
      limits: { memory: "129MiB" },
    };
    const onFailure = { steps: { one: {}, two: step }, onFailure: "two" };
    expect(() => checkPolicy(policy, [version("other", step), version("shop", {}, onFailure)])).toThrow(
      expect.objectContaining({
        code: "ERR_POLICY_REFUSED",
        status: 403,
        problems: [
          {
            code: "ERR_POLICY_CAPABILITY",
            message:
              "step one of other asks for the capability env, which the policy allows to shop, billing-*",
            file: "policy.json",
            pointer: "/capabilities/env",
          },
          {
            code: "ERR_POLICY_CAPABILITY",
            message: "step one of other asks for the capability seed, which the policy allows to no function",
            file: "policy.json",
            pointer: "/capabilities/seed",
          },
          {
            code: "ERR_POLICY_LIMIT",
            message: "step one of other has the timeout limit 31000 ms; the policy allows 30000 ms",
            file: "policy.json",
            pointer: "/limits/timeout",
          },
          {
            code: "ERR_POLICY_LIMIT",
            message:
              "step one of other has the memory limit 135266304 bytes; the policy allows 134217728 bytes",
            file: "policy.json",
            pointer: "/limits/memory",
          },
          expect.objectContaining({ pointer: "/capabilities/seed" }),
          expect.objectContaining({ pointer: "/limits/timeout" }),
          expect.objectContaining({ pointer: "/limits/memory" }),
        ],
      }),
    );
  });

  describe("of hosts and secrets", () => {
    const http = [
      {
        functions: ["shop"],
        hosts: [
          httpGrant({ host: "*.example.com", methods: ["GET", "POST"] }),
          httpGrant({ host: "http://10.0.0.7:8080", private: true }),
        ],
      },
      { functions: ["*"], hosts: [httpGrant("api.public.example")] },
    ];
    const secrets = { "STRIPE_*": ["shop"], SMTP: ["mail-*", "shop"] };
    const strict: Policy = { file: "policy.json", capabilities: { http, secrets }, limits: {} };
    const refused = (id: string, capabilities: CapabilitiesDocument): readonly string[] => {
      try {
        checkPolicy(strict, [version(id, { capabilities })]);
        return [];
      } catch (error) {
        const { problems } = error as MillraceError;
        return problems?.map(({ message, pointer }) => `${pointer}: ${message}`) ?? [];
      }
    };

    test.each<[string, CapabilitiesDocument]>([
      ["shop", { http: [{ host: "a.example.com", methods: ["GET"] }, "api.public.example"] }],
      ["shop", { http: [{ host: "*.b.example.com", methods: ["POST", "GET"] }] }],
      ["shop", { http: [{ host: "http://10.0.0.7:8080", private: true }, "http://10.0.0.7:8080"] }],
      ["other", { http: ["api.public.example"] }],
      ["shop", { secrets: ["STRIPE_KEY", "SMTP"] }],
      ["mail-1", { secrets: { SMTP: {} } }],
    ])("allows %s %j", (id, capabilities) => {
      expect(refused(id, capabilities)).toEqual([]);
    });

    test.each<[string, CapabilitiesDocument, string]>([
      ["other", { http: ["a.example.com"] }, "http"],
      ["shop", { http: ["a.example.com"] }, "http"],
      ["shop", { http: [{ host: "a.example.com", methods: ["DELETE"] }] }, "http"],
      ["shop", { http: [{ host: "a.example.com:8443", methods: ["GET"] }] }, "http"],
      ["shop", { http: [{ host: "a.example.com", methods: ["GET"], private: true }] }, "http"],
      ["shop", { http: ["*"] }, "http"],
      ["mail-1", { secrets: ["STRIPE_KEY"] }, "secrets/STRIPE_*"],
      ["other", { secrets: ["SMTP"] }, "secrets/SMTP"],
      ["shop", { secrets: ["AWS"] }, "secrets"],
      ["shop", { kv: true }, "kv"],
      ["shop", { tmp: true }, "tmp"],
      ["shop", { config: {} }, "config"],
    ])("refuses %s %j", (id, capabilities, place) => {
      expect(refused(id, capabilities)).toEqual([
        expect.stringMatching(new RegExp(`^/capabilities/${place.replace("*", "\\*")}: `)),
      ]);
    });

    test("says what was asked for, and what there is", () => {
      const capabilities = {
        http: [{ host: "http://10.0.0.8", private: true }, "b.example"],
        secrets: ["AWS"],
      };
      expect(refused("shop", capabilities)).toEqual([
        "/capabilities/http: step one of shop asks for the capability http for http://10.0.0.8 (private), which the policy allows to this function for GET POST https://*.example.com, http://10.0.0.7:8080 (private), https://api.public.example",
        expect.stringContaining("http for https://b.example, which"),
        "/capabilities/secrets: step one of shop asks for the secret AWS, which the policy allows to no function",
      ]);
      expect(refused("mail-1", { secrets: ["STRIPE_KEY"] })).toEqual([
        "/capabilities/secrets/STRIPE_*: step one of mail-1 asks for the secret STRIPE_KEY, which the policy allows to shop",
      ]);
    });
  });

  test("has maximums for what capabilities use", () => {
    const least: Policy = {
      file: "policy.json",
      capabilities: {},
      limits: { cpuMs: 10_000, tmpBytes: 1024, httpConcurrent: 2, httpBodyBytes: 1024 },
    };
    expect(() => checkPolicy(least, [version("f", {})])).toThrow(
      expect.objectContaining({
        problems: [
          // A step that names none may compute for its whole time.
          expect.objectContaining({
            pointer: "/limits/cpu",
            message: "step one of f has the cpu limit 30000 ms; the policy allows 10000 ms",
          }),
          expect.objectContaining({ pointer: "/limits/tmp" }),
          expect.objectContaining({
            pointer: "/limits/http/concurrent",
            message: "step one of f has the http.concurrent limit 8 requests; the policy allows 2 requests",
          }),
          expect.objectContaining({ pointer: "/limits/http/body" }),
        ],
      }),
    );
  });

  test.each([
    ["shop", "shop", true],
    ["shop", "shops", false],
    ["*", "", true],
    ["shop-*", "shop-1", true],
    ["shop-*", "myshop-1", false],
    ["*-eu", "shop-eu", true],
    ["*-eu", "shop-eu-1", false],
    ["a*b*c", "a1b2b3c", true],
    ["a*b*c", "acb", false],
    ["ab*ba", "aba", false],
  ])("pattern %s, function %s: %s", (pattern, id, matches) => {
    expect(matchesPattern(pattern, id)).toBe(matches);
  });

  test("is read from JSON with comments, and refused with each place that is wrong", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "policy.json");
    await writeFile(
      file,
      `{ // of the platform team
        "capabilities": { "env": ["shop", "billing-*"] },
        "limits": { "timeout": "30s", "memory": "128MiB", },
      }`,
    );
    expect(await readPolicyFile(file)).toEqual({ ...policy, file });
    await writeFile(file, '{\n"capabilities": { "files": [] },\n"limits": { "timeout": "soon" }\n}');
    await expect(readPolicyFile(file)).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      problems: [
        { file, pointer: "/capabilities/files", line: 2 },
        { file, pointer: "/limits/timeout", line: 3 },
      ],
    });
    await writeFile(
      file,
      JSON.stringify({
        capabilities: {
          http: {
            functions: ["shop"],
            hosts: ["*.example.com", { host: "http://localhost", private: true }],
          },
          secrets: { "STRIPE_*": ["shop"] },
          kv: ["*"],
        },
        limits: { cpu: "10s", tmp: "1MiB", http: { concurrent: 4, body: "1MiB" } },
      }),
    );
    const hosts = ["*.example.com", { host: "http://localhost", private: true }].map(httpGrant);
    expect(await readPolicyFile(file)).toEqual({
      file,
      capabilities: { http: [{ functions: ["shop"], hosts }], secrets: { "STRIPE_*": ["shop"] }, kv: ["*"] },
      limits: { cpuMs: 10_000, tmpBytes: 2 ** 20, httpConcurrent: 4, httpBodyBytes: 2 ** 20 },
    });
    await writeFile(
      file,
      '{ "capabilities": {\n "http": [{ "functions": [],\n "hosts": ["*.example.com",\n "http://a.example/x"] }] } }',
    );
    await expect(readPolicyFile(file)).rejects.toMatchObject({
      problems: [{ pointer: "/capabilities/http/0/hosts/1", line: 4, suggestion: "http://a.example" }],
    });
    await writeFile(file, '{ "capabilities": { "http": ["shop"], "secrets": ["A"] } }');
    await expect(readPolicyFile(file)).rejects.toMatchObject({
      problems: expect.arrayContaining([
        expect.objectContaining({ pointer: "/capabilities/http/0" }),
        expect.objectContaining({ pointer: "/capabilities/secrets" }),
      ]),
    });
    await expect(readPolicyFile(join(folder, "absent"))).rejects.toMatchObject({ code: "ERR_INPUT_FILE" });
  });
});

/** A driver that keeps what it was asked to run. */
function recordingDriver(attempts: Attempt[]): Driver {
  return {
    name: "wasm",
    prepare: async () => undefined,
    async execute(attempt) {
      attempts.push(attempt);
      return { ok: true, output: 1, logs: [] };
    },
    close: async () => undefined,
  };
}

describe("a host with a policy", () => {
  test("refuses a deployment that asks for more, and runs none that is stored already", async () => {
    const folder = await temporaryFolder();
    const store = `sqlite:${join(folder, "host.db")}`;
    const attempts: Attempt[] = [];
    const open = (more: { readonly policy?: Policy } = {}) =>
      createHost({ store, drivers: new Map([["wasm", recordingDriver(attempts)]]), ...more });
    const greedy = version("greedy", { capabilities: { env: { A: "b" } } }, { retry: { retries: 0 } });
    const modest = version("shop", { capabilities: { env: { A: "b" } } });

    const free = await open();
    await free.deploy([greedy]);
    await free.close();

    const host = await open({ policy });
    try {
      await expect(host.deploy([modest, { ...greedy, version: "0" }])).rejects.toMatchObject({
        code: "ERR_POLICY_REFUSED",
      });
      expect(host.functions().map(({ functionId }) => functionId)).toEqual(["greedy"]);
      await expect
        .poll(() => host.notices("greedy"))
        .toMatchObject([{ level: "error", code: "ERR_POLICY_CAPABILITY" }]);
      await host.deploy([modest]);
      const [published] = await host.publish([{ name: "a" }]);
      const id = published?.id ?? "";
      const { status, history } = await host.finished(runId("greedy", id));
      expect({ status, history }).toMatchObject({
        status: "failed",
        history: expect.arrayContaining([
          expect.objectContaining({ failure: expect.objectContaining({ code: "ERR_STEP_POLICY" }) }),
        ]),
      });
      expect(await host.finished(runId("shop", id))).toMatchObject({ status: "completed" });
      expect(attempts.map(({ input, program }) => [input.ctx.functionId, program.capabilities])).toEqual([
        ["shop", { env: { A: "b" } }],
      ]);
    } finally {
      await host.close();
    }
  });
});
