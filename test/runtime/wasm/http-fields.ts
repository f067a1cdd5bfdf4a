import { describe, expect, test } from "vitest";
import type { HttpBench } from "./http-bench.ts";

/** What headers may be. */
export function httpFields({ run }: HttpBench): void {
  describe("fields", () => {
    test("keep names as they were given and find them whatever their case", async () => {
      const code = `
        const fields = http.Fields.fromList([["X-One", bytes("1")], ["x-two", bytes("")], ["x-one", bytes("2")]]);
        return [
          fields.entries(), fields.get("X-ONE"), fields.get("x-Two"), fields.get("none"), fields.get("no name"),
          fields.has("X-two"), fields.has("none"), fields.has("no name"),
        ];`;
      const [one, two, empty] = ["1", "2", ""].map((text) => ({ bytes: text }));
      expect(await run(code)).toEqual([
        [
          ["X-One", one],
          ["x-two", empty],
          ["x-one", two],
        ],
        [one, two],
        [empty],
        [],
        [],
        true,
        false,
        false,
      ]);
    });

    test("are set, appended to and deleted from", async () => {
      const code = `
        const fields = new http.Fields();
        fields.append("a", bytes("1"));
        fields.append("A", bytes("2"));
        fields.append("b", bytes("3"));
        const first = fields.get("a").length;
        fields.set("a", [bytes("4")]);
        fields.delete("b");
        fields.delete("none");
        const second = fields.entries();
        fields.set("a", []);
        return [first, second, fields.entries()];`;
      expect(await run(code)).toEqual([2, [["a", { bytes: "4" }]], []]);
    });

    test("are copied with their values, and the copy can be changed", async () => {
      const code = `
        const fields = http.Fields.fromList([["a", bytes("1")]]);
        const copy = fields.clone();
        copy.set("a", [bytes("2")]);
        return [fields.get("a"), copy.get("a")];`;
      expect(await run(code)).toEqual([[{ bytes: "1" }], [{ bytes: "2" }]]);
    });

    test("of a request can't be changed, but their copy", async () => {
      const code = `
        const request = new http.OutgoingRequest(http.Fields.fromList([["a", bytes("1")]]));
        const fields = request.headers();
        const errors = [
          () => fields.set("a", [bytes("2")]), () => fields.append("b", bytes("2")), () => fields.delete("a"),
        ].map((action) => attempt(action).error.tag);
        const copy = fields.clone();
        copy.append("b", bytes("2"));
        return [errors, request.headers().entries().length, copy.entries().length];`;
      expect(await run(code)).toEqual([["immutable", "immutable", "immutable"], 1, 2]);
    });

    test.each(["", " a", "a b", "a:", "a\r\nb", "\u0000", "ü", "a(b)"])("have no name %j", async (name) => {
      const code = `
          const fields = new http.Fields(), name = ${JSON.stringify(name)}, value = bytes("1");
          return [
            () => fields.set(name, [value]), () => fields.append(name, value), () => fields.delete(name),
            () => http.Fields.fromList([["a", value], [name, value]]),
          ].map((action) => attempt(action).error.tag);`;
      expect(await run(code)).toEqual(Array.from({ length: 4 }, () => "invalid-syntax"));
    });

    test.each([[0], [13, 10], [10], [0x7f], [1]])("have no value of the bytes %j", async (...value) => {
      const code = `
        const fields = new http.Fields(), value = Uint8Array.from(${JSON.stringify(value)});
        return [
          () => fields.set("a", [bytes("1"), value]), () => fields.append("a", value),
          () => http.Fields.fromList([["a", value]]),
        ].map((action) => attempt(action).error.tag);`;
      expect(await run(code)).toEqual(Array.from({ length: 3 }, () => "invalid-syntax"));
    });

    test("have values of every byte that a header can have", async () => {
      const code = `
        const value = Uint8Array.from([9, ...Array.from({ length: 95 }, (_, i) => 32 + i), ...Array.from({ length: 128 }, (_, i) => 128 + i)]);
        return http.Fields.fromList([["a", value]]).get("a")[0].every((byte, at) => byte === value[at]);`;
      expect(await run(code)).toBe(true);
    });

    test.each([
      "Connection",
      "expect",
      "HOST",
      "http2-settings",
      "keep-alive",
      "proxy-authenticate",
      "proxy-authorization",
      "proxy-connection",
      "te",
      "trailer",
      "transfer-encoding",
      "upgrade",
    ])("have no %s, which is the connection's", async (name) => {
      const code = `
        const fields = new http.Fields(), value = bytes("1");
        const errors = [
          () => fields.set("${name}", [value]), () => fields.append("${name}", value),
          () => http.Fields.fromList([["${name}", value]]),
        ].map((action) => attempt(action).error.tag);
        fields.delete("${name}");
        return errors;`;
      expect(await run(code)).toEqual(Array.from({ length: 3 }, () => "forbidden"));
    });
  });
}
