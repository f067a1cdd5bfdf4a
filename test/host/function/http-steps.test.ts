import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import { checkPolicy } from "../../../host/policy/policy.ts";
import { documentWith, pairsOf } from "./problems.ts";

const url = "https://hooks.example.com/steps/notify?x=1";
const bearer = { secret: "TOKEN", prefix: "Bearer " };

describe("steps of runtime http", () => {
  test("may have all that they can have", () => {
    const steps = {
      a: { runtime: { type: "http", url } },
      b: { runtime: { type: "http", url: "http://localhost:3000", secret: "NOTIFY_KEY", private: true } },
      c: { runtime: { type: "http", url: "https://[2001:db8::1]:8443/" } },
      d: { runtime: { type: "http", url, headers: { "X-Tenant": "shop", authorization: bearer } } },
      e: {
        runtime: { type: "http", url: "http://10.0.0.7/", private: true, headers: { authorization: bearer } },
      },
    };
    expect(pairsOf(documentWith({ steps }))).toEqual([]);
  });

  test("have every problem told at once", () => {
    const steps = {
      a: { runtime: { type: "http" } },
      b: { runtime: { type: "http", url: "ftp://a.example/" } },
      c: { runtime: { type: "http", url: "https://me@a.example/" } },
      d: { runtime: { type: "http", url: "https://*.example.com/" } },
      e: { runtime: { type: "http", url: "https://a.example:99999/" } },
      f: { path: "file://./x", runtime: { type: "http", url, secret: "a b", private: 1, hedaers: {} } },
      g: { runtime: { type: "http", url }, capabilities: { env: {} } },
      h: {
        runtime: {
          type: "http",
          url,
          headers: {
            "Webhook-Id": "1",
            host: "other.example",
            a: "1",
            A: "2",
            b: "two\nlines",
            "no name": "x",
            c: { secrte: "KEY" },
          },
        },
      },
      i: { runtime: { type: "http", url: "http://a.example/", headers: { authorization: bearer } } },
    };
    expect(pairsOf(documentWith({ steps })).toSorted()).toEqual([
      "CAPABILITY /steps/f/runtime/secret",
      "CAPABILITY /steps/g/capabilities/env",
      "RUNTIME /steps/b/runtime/url",
      "RUNTIME /steps/c/runtime/url",
      "RUNTIME /steps/d/runtime/url",
      "RUNTIME /steps/e/runtime/url",
      "RUNTIME /steps/f/path",
      "RUNTIME /steps/h/runtime/headers/A",
      "RUNTIME /steps/h/runtime/headers/Webhook-Id",
      "RUNTIME /steps/h/runtime/headers/b",
      "RUNTIME /steps/h/runtime/headers/host",
      "RUNTIME /steps/h/runtime/headers/no name",
      "RUNTIME /steps/i/runtime/headers/authorization",
      "SCHEMA /steps/a/runtime",
      "SCHEMA /steps/f/runtime/hedaers",
      "SCHEMA /steps/f/runtime/private",
      "SCHEMA /steps/h/runtime/headers/c/secrte",
    ]);
  });

  const versionWith = (options: object) =>
    functionVersion(
      {
        id: "f",
        triggers: [{ event: "a" }],
        steps: { a: { runtime: { type: "http", url, ...options } } },
      },
      {},
      0,
    );

  test("ask by their URL for requests to its host, and by their secret's name for that", () => {
    const { program } = define(versionWith({ secret: "KEY", private: true })).steps.get("a")!;
    const destination = { scheme: "https", host: "hooks.example.com", ports: [443] };
    expect(program?.capabilities).toEqual({
      http: [{ ...destination, methods: ["POST"], private: true }],
      secrets: { KEY: { hosts: [destination] } },
    });
    const headers = { authorization: bearer, "x-tenant": "shop" };
    expect(define(versionWith({ headers })).steps.get("a")?.program?.capabilities?.secrets).toEqual({
      TOKEN: { hosts: [destination] },
    });
  });

  test.each([
    [{}, { http: [{ functions: ["*"], hosts: [grant("hooks.example.com")] }] }, []],
    [{}, {}, ["/capabilities/http"]],
    [{}, { http: [{ functions: ["g"], hosts: [grant("hooks.example.com")] }] }, ["/capabilities/http"]],
    [{}, { http: [{ functions: ["*"], hosts: [grant("other.example.com")] }] }, ["/capabilities/http"]],
    [{ private: true }, { http: [{ functions: ["*"], hosts: [grant("*")] }] }, ["/capabilities/http"]],
    [{ secret: "KEY" }, { http: [{ functions: ["*"], hosts: [grant("*")] }] }, ["/capabilities/secrets"]],
    [
      { headers: { authorization: bearer } },
      { http: [{ functions: ["*"], hosts: [grant("*")] }] },
      ["/capabilities/secrets"],
    ],
    [
      { headers: { authorization: bearer } },
      { http: [{ functions: ["*"], hosts: [grant("*")] }], secrets: { TOKEN: ["f"] } },
      [],
    ],
  ])("with %j are held to the operator's policy %j", (options, capabilities, pointers) => {
    const check = (): void =>
      checkPolicy({ file: "policy.json", capabilities, limits: {} }, [versionWith(options)]);
    if (pointers.length === 0) return expect(check).not.toThrow();
    let problems: readonly { readonly pointer?: string }[] = [];
    try {
      check();
    } catch (error) {
      ({ problems } = error as { problems: typeof problems });
    }
    return expect(problems.map(({ pointer }) => pointer)).toEqual(pointers);
  });
});

function grant(host: string) {
  return { scheme: "https", host, ports: [443], private: false } as const;
}
