import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../../host/build/guest/text.ts";

const texts = [
  "",
  "plain",
  "ü€😀",
  "\ud800",
  "a\udc00b",
  "\ud83d\ude00\ud83d",
  "\u0000\u007f\u0080\u07ff\u0800\uffff",
  "x".repeat(20_000),
];

test.each(texts)("text %# is encoded as Node does it", (text) => {
  expect([...encodeUtf8(text)]).toEqual([...new TextEncoder().encode(text)]);
});

const bytes = [
  [],
  [0x41],
  [0xc3, 0xbc],
  [0xff, 0x41],
  [0xc0, 0x80],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x9f, 0x98, 0x41],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xe2, 0x41, 0xe2, 0x82, 0xac],
  [0x80, 0xbf, 0xf5],
];

test.each(bytes.map((list) => [Buffer.from(list).toString("hex"), list] as const))(
  "the bytes %s are decoded as Node does it",
  (_, list) => {
    const input = Uint8Array.from(list);
    expect(decodeUtf8(input)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(input));
  },
);

test("malformed bytes are refused when they must be well-formed", () => {
  expect(() => decodeUtf8(Uint8Array.of(0xff), true)).toThrow(TypeError);
  expect(decodeUtf8(Uint8Array.of(0xc3, 0xbc), true)).toBe("ü");
});
