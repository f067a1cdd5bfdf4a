import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { createTraceReader, foreignSyntax } from "../../../runtime/docker/buildkit.ts";
import { archive } from "./images.ts";

test.each([
  ["", undefined],
  ["# syntax=docker/dockerfile:1.7-labs\n", undefined],
  ["# syntax = docker.io/docker/dockerfile@sha256:00\n", undefined],
  ["# syntax=docker/dockerfile.evil\n", "docker/dockerfile.evil"],
  ["#!/bin/x\n  # Syntax=evil.example/docker/dockerfile:1\n", "evil.example/docker/dockerfile:1"],
  ["// syntax=x\n", "x"],
])("of a Dockerfile that begins with %j another frontend is %s", async (line, syntax) => {
  expect(await foreignSyntax(await archive({ Dockerfile: `${line}FROM scratch\n` }), {})).toBe(syntax);
});

test("of a Dockerfile that is a link, or not there, it can't be told which frontend reads it", async () => {
  const tar = pack();
  tar.entry({ name: "Dockerfile", type: "symlink", linkname: "other" });
  tar.entry({ name: "other" }, "# syntax=x\nFROM scratch\n");
  tar.finalize();
  const linked = await buffer(tar);
  for (const dockerfile of ["Dockerfile", "nowhere"]) {
    expect(await foreignSyntax(linked, { dockerfile })).toBe("what can't be told");
  }
});

/** A field of Protocol Buffers with a length. */
const field = (key: number, content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([key * 8 + 2, bytes.length]), bytes]);
};

test("a trace tells of instructions that begin, and what they print, cut wherever it is", () => {
  const [begun, ended] = [5, 6].map((key) => field(key, "t"));
  const log = [field(1, "d"), Buffer.from([3 * 8, 1]), field(4, "out")];
  const message = Buffer.concat([
    field(1, Buffer.concat([field(1, "a"), field(3, "RUN a"), begun!])),
    field(1, Buffer.concat([field(1, "a"), field(3, "RUN a"), begun!, ended!])),
    field(1, Buffer.concat([field(1, "b"), field(3, "RUN b"), begun!, ended!])),
    field(1, Buffer.concat([field(1, "c"), field(3, "RUN c")])),
    field(2, "status"),
    Buffer.from([9 * 8 + 1, ...Array<number>(8).fill(7), 9 * 8 + 5, 1, 2, 3, 4]),
    field(3, Buffer.concat(log)),
  ]);
  const read = createTraceReader();
  expect(read(message.toString("base64"))).toBe("RUN a\nRUN b\nout");
  expect(read(message.toString("base64"))).toBe("out");
  for (let length = 0; length < message.length; length += 1) {
    expect(() => createTraceReader()(message.subarray(0, length).toString("base64"))).not.toThrow();
  }
  expect(read("")).toBe("");
});
