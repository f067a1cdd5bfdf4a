import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { CapabilitiesDocument } from "../../../host/function/capabilities.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

const path = "file://./x.ts";
const withCapabilities = (capabilities: object): string =>
  documentWith({ steps: { a: { path, capabilities } } });
const pairs = (capabilities: object): string[] =>
  pairsOf(withCapabilities(capabilities)).map((pair) => pair.replace("/steps/a/capabilities", ""));

describe("capabilities in a document", () => {
  const all: CapabilitiesDocument = {
    env: { LANG: "de" },
    seed: "1",
    http: [
      "api.example.com",
      { host: "*.Example.org", methods: ["GET"], ports: [443, 8443] },
      { host: "http://localhost:3000", private: true },
    ],
    secrets: { PLAIN: {}, STRIPE_KEY: { hosts: ["api.example.com", "a.example.org:8443"] } },
    config: { currency: "EUR", "näme with spaces": "" },
    tmp: true,
    kv: true,
  };

  test("load, and get their defaults in the definition", () => {
    expect(pairs(all)).toEqual([]);
    const version = functionVersion(
      { id: "f", triggers: [{ event: "a" }], steps: { a: { path, capabilities: all } } },
      {},
      0,
    );
    expect(define(version).steps.get("a")?.program?.capabilities).toEqual({
      ...all,
      http: [
        { scheme: "https", host: "api.example.com", ports: [443], private: false },
        { scheme: "https", host: "*.example.org", ports: [443, 8443], methods: ["GET"], private: false },
        { scheme: "http", host: "localhost", ports: [3000], private: true },
      ],
      secrets: {
        PLAIN: {},
        STRIPE_KEY: {
          hosts: [
            { scheme: "https", host: "api.example.com", ports: [443] },
            { scheme: "https", host: "a.example.org", ports: [8443] },
          ],
        },
      },
    });
  });

  test("are nothing where they are switched off, and names of secrets may be a list", () => {
    const capabilities: CapabilitiesDocument = { secrets: ["A", "B"], tmp: false, kv: false };
    expect(pairs(capabilities)).toEqual([]);
    const version = functionVersion(
      { id: "f", triggers: [{ event: "a" }], steps: { a: { path, capabilities } } },
      {},
      0,
    );
    expect(define(version).steps.get("a")?.program?.capabilities).toEqual({ secrets: { A: {}, B: {} } });
  });

  test.each<[string, object, string[]]>([
    [
      "hosts that are none",
      { http: ["a b", { host: "https://a.example/x" }, ""] },
      ["CAPABILITY /http/0", "CAPABILITY /http/1/host", "CAPABILITY /http/2", "SCHEMA /http/2"],
    ],
    [
      "grants of another shape",
      { http: [1, {}, { host: 1 }, { host: "a.example", port: 1 }] },
      ["SCHEMA /http/0", "SCHEMA /http/1", "SCHEMA /http/2/host", "SCHEMA /http/3/port"],
    ],
    ["a text where a list is wanted", { http: "a.example" }, ["SCHEMA /http"]],
    [
      "methods",
      { http: [{ host: "a.example", methods: ["get", "CONNECT", "TRACE", "QUERY"] }] },
      ["CAPABILITY /http/0/methods/0", "CAPABILITY /http/0/methods/1", "CAPABILITY /http/0/methods/2"],
    ],
    [
      "ports",
      {
        http: [
          { host: "a.example", ports: [0, 65_536] },
          { host: "a.example:1", ports: [1] },
        ],
      },
      ["CAPABILITY /http/1/ports", "SCHEMA /http/0/ports/0", "SCHEMA /http/0/ports/1"],
    ],
    [
      "private addresses behind a pattern",
      {
        http: [
          { host: "*.example", private: true },
          { host: "*", private: true },
        ],
      },
      ["CAPABILITY /http/0/private", "CAPABILITY /http/1/private"],
    ],
    [
      "secrets that are none",
      { secrets: ["1A", "B C", "D", "D"] },
      ["CAPABILITY /secrets/0", "CAPABILITY /secrets/1", "SCHEMA /secrets"],
    ],
    ["a secret that is a variable too", { env: { A: "b" }, secrets: ["A"] }, ["CAPABILITY /secrets/0"]],
    [
      "a secret that is a variable too, by name",
      { env: { A: "b" }, secrets: { A: {} } },
      ["CAPABILITY /secrets/A"],
    ],
    [
      "hosts of secrets",
      {
        http: ["*"],
        secrets: { A: { hosts: ["*", "x y", "a.example"] }, B: { hosts: [] }, C: { host: "a" } },
      },
      [
        "CAPABILITY /secrets/A/hosts/0",
        "CAPABILITY /secrets/A/hosts/1",
        "SCHEMA /secrets/B/hosts",
        "SCHEMA /secrets/C/host",
      ],
    ],
    [
      "hosts of secrets to which no request can go",
      {
        http: ["a.example", { host: "b.example", ports: [8443] }, "c.d.example"],
        secrets: {
          A: {
            hosts: [
              "a.example",
              "http://a.example",
              "b.example",
              "b.example:8443",
              "*.d.example",
              "e.example",
            ],
          },
        },
      },
      ["CAPABILITY /secrets/A/hosts/1", "CAPABILITY /secrets/A/hosts/2", "CAPABILITY /secrets/A/hosts/5"],
    ],
    [
      "configuration",
      { config: { "": "a", "b\n": "c", d: 1 } },
      ["CAPABILITY /config/", "CAPABILITY /config/b\n", "SCHEMA /config/d"],
    ],
    ["switches that are none", { tmp: "1MiB", kv: 1 }, ["SCHEMA /kv", "SCHEMA /tmp"]],
  ])("are refused: %s", (_, capabilities, expected) => {
    expect(pairs(capabilities)).toEqual(expected.toSorted());
  });

  test("are refused with what was meant", () => {
    expect(
      problemsOf(withCapabilities({ http: ["https://api.example.com/v1/charges"], kvs: true })),
    ).toMatchObject([
      {
        code: "ERR_FUNCTION_CAPABILITY",
        message: '"https://api.example.com/v1/charges" is no host',
        expected: "a host: api.example.com, *.example.com, http://localhost:3000",
        suggestion: "api.example.com",
      },
      { code: "ERR_FUNCTION_SCHEMA", suggestion: "kv" },
    ]);
    const secrets = { A: { hosts: ["b.example"] } };
    expect(problemsOf(withCapabilities({ http: ["http://b.example:81"], secrets }))).toMatchObject([
      { message: "no request can go to b.example: `http` has no such host, but http://b.example:81" },
    ]);
  });
});
