import { array, assert, constantFrom, nat, property, tuple, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { createFrameReader } from "../../../runtime/docker/frames.ts";

const kinds = ["other", "stdout", "stderr"] as const;

function frame(kind: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(kind);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

test("frames are read the same, wherever the stream of them is cut", () => {
  const frames = array(tuple(constantFrom(0, 1, 2), uint8Array({ maxLength: 40 })));
  const cuts = array(nat(200));
  assert(
    property(frames, cuts, (written, places) => {
      const stream = Buffer.concat(written.map(([kind, bytes]) => frame(kind, bytes)));
      const read = createFrameReader();
      const texts: Record<string, Buffer[]> = { stdout: [], stderr: [], other: [] };
      const edges = [
        0,
        ...places.filter((place) => place < stream.length).toSorted((a, b) => a - b),
        stream.length,
      ];
      for (const [index, edge] of edges.entries()) {
        const chunk = stream.subarray(edge, edges[index + 1] ?? edge);
        for (const { stream: name, bytes } of read(Buffer.from(chunk))) texts[name]?.push(bytes);
      }
      for (const [kind, name] of kinds.entries()) {
        const own = written.filter(([one]) => one === kind).map(([, bytes]) => bytes);
        expect(Buffer.concat(texts[name] ?? [])).toEqual(Buffer.concat(own));
      }
    }),
  );
});

test.each([
  ["a stream that there is not", [4, 0, 0, 0, 0, 0, 0, 0]],
  ["a header with something else in it", [1, 0, 1, 0, 0, 0, 0, 0]],
  ["text in place of frames", [...Buffer.from("HTTP/1.1 500")]],
])("%s is no frame", (_, bytes) => {
  expect(() => createFrameReader()(Buffer.from(bytes))).toThrow(RangeError);
});

test("a frame that claims to be huge takes no memory before its bytes come", () => {
  const header = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  expect(createFrameReader()(Buffer.concat([header, Buffer.from("x")]))).toEqual([
    { stream: "stdout", bytes: Buffer.from("x") },
  ]);
});
