import { describe, expect, test } from "vitest";
import { assert, property, string } from "fast-check";
import { createRedactor } from "../../../host/secrets/redactor.ts";

const secret = 'sk_live/51H+"quoted"\\ü=?& 7Zk!\'(x)*';
const redactor = createRedactor(new Map([["KEY", secret]]));
const hidden = "[secret KEY]";

describe("a secret", () => {
  test.each<[string, string, string]>([
    ["as it is", `a ${secret} b ${secret}`, `a ${hidden} b ${hidden}`],
    ["in JSON", JSON.stringify({ a: secret }), `{"a":"${hidden}"}`],
    ["in JSON within JSON", JSON.stringify([secret]), `["${hidden}"]`],
    ["in JSON with escaped slashes", JSON.stringify(secret).replaceAll("/", "\\/"), `"${hidden}"`],
    ["in JSON of ASCII", JSON.stringify(secret).replace("ü", "\\u00fc"), `"${hidden}"`],
    ["in a path", `/x/${encodeURIComponent(secret)}/y`, `/x/${hidden}/y`],
    [
      "in a path, in small letters",
      encodeURIComponent(secret).replaceAll(/%../g, (it) => it.toLowerCase()),
      hidden,
    ],
    ["in a form", new URLSearchParams({ a: secret }).toString(), `a=${hidden}`],
    ["in hexadecimal digits", `0x${Buffer.from(secret).toString("hex")}`, `0x${hidden}`],
    ["in large ones", Buffer.from(secret).toString("hex").toUpperCase(), hidden],
  ])("is redacted %s", (_, text, expected) => {
    expect(redactor.text(text)).toBe(expected);
  });

  test("is redacted in Base64, whatever stands around it", () => {
    for (const encoding of ["base64", "base64url"] as const) {
      for (let before = 0; before < 6; before++) {
        for (let after = 0; after < 6; after++) {
          const text = Buffer.from("x".repeat(before) + secret + "y".repeat(after)).toString(encoding);
          const redacted = redactor.text(text);
          expect(redacted).toContain(hidden);
          // What is left is no more than the neighbours, and the characters they share with it.
          const left = redacted.replace(hidden, "").replaceAll("=", "").length;
          expect(left).toBeLessThanOrEqual(Math.ceil(((before + after) * 8) / 6) + 4);
        }
      }
    }
  });

  test("is redacted wherever it is in an output: in values, in names, as a number", () => {
    const digits = createRedactor(new Map([["PIN", "12345678"]]));
    expect(redactor.json({ a: [secret, { [secret]: null }], b: [1, true] })).toEqual({
      a: [hidden, { [hidden]: null }],
      b: [1, true],
    });
    expect(digits.json([12345678, 123456789, 1234567, "x12345678"])).toEqual([
      "[secret PIN]",
      "[secret PIN]9",
      1234567,
      "x[secret PIN]",
    ]);
  });

  test("of several lines is redacted in a log line by line", () => {
    const lines = ["-----BEGIN KEY-----", "MIIEvQIBADANBgkqhkiG9w0", "short", "-----END KEY-----"];
    const pem = createRedactor(new Map([["PEM", lines.join("\n")]]));
    expect(pem.text(lines.join("\n"))).toBe("[secret PEM]");
    const logged = pem.logs(lines.map((message) => ({ level: "info", message: `> ${message}\r` })));
    expect(logged.map(({ message }) => message)).toEqual([
      "> [secret PEM]\r",
      "> [secret PEM]\r",
      "> short\r",
      "> [secret PEM]\r",
    ]);
  });

  test("that was cut in a failure or at the end of a log is redacted as far as it goes", () => {
    const cut = (length: number) => secret.slice(0, length);
    const failure = { code: "ERR_STEP_FAILED", retry: true } as const;
    expect(redactor.failure({ ...failure, message: `at ${cut(12)}…` }).message).toBe(`at ${hidden}…`);
    expect(redactor.failure({ ...failure, message: `at ${secret}` }).message).toBe(`at ${hidden}`);
    expect(redactor.failure({ ...failure, message: "at sk_l…" }).message).toBe("at sk_l…");
    const line = { level: "info", message: cut(20) } as const;
    expect(redactor.logs([line, line]).map(({ message }) => message)).toEqual([cut(20), hidden]);
  });

  test("is told apart from another that begins with it", () => {
    const two = createRedactor(
      new Map([
        ["A", "password"],
        ["B", "password-of-b"],
      ]),
    );
    expect(two.text("password password-of-b")).toBe("[secret A] [secret B]");
  });

  test("is in no output, whatever it is and whatever stands around it", () => {
    const texts = string({ unit: "grapheme", minLength: 8, maxLength: 40 });
    assert(
      property(texts, string(), string(), (value, before, after) => {
        const one = createRedactor(new Map([["X", value]]));
        for (const text of [before + value + after, JSON.stringify(before + value + after)]) {
          expect(one.text(text)).toContain("[secret X]");
          expect(one.text(text).replaceAll("[secret X]", "")).not.toContain(value);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("leaves everything else as it was", () => {
    for (const value of [null, true, 0, -1.5, "text", [], {}, { __proto__x: 1 }]) {
      expect(redactor.json(value)).toEqual(value);
    }
  });
});
