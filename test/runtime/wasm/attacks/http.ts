import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import type { AttemptResult } from "../../../../runtime/driver.ts";
import type { Capabilities } from "../../../../runtime/capabilities.ts";
import type { Limits } from "../../../../runtime/limits.ts";
import { listen } from "../../egress/servers.ts";
import { httpProgram } from "../components.ts";
import type { Harness } from "../harness.ts";
import type { Attack } from "./attack.ts";

const granting = (port: number): Capabilities => ({
  http: [{ scheme: "http", host: "127.0.0.1", ports: [port], private: true }],
});
/** Nothing is sent in most attacks. */
const capabilities = granting(9);
const done = "(i32.const 0)";
const ever = (body: string): string => `(loop $more ${body} (br $more))`;

const attack = (name: string, body: string, expected: Partial<Attack>): Attack => ({
  name,
  artifact: () => httpProgram("127.0.0.1:9", `${body} ${done}`),
  capabilities,
  ...expected,
});

const trap = { code: "ERR_STEP_TRAP" } as const;
const handle = (name: string, body: string): Attack => attack(name, body, trap);

/** Handles in the wrong place, at the wrong time, or twice. */
const httpHandleAttacks: readonly Attack[] = [
  handle(
    "headers that a request has",
    `(local.set $a (call $fields)) (drop (call $request (local.get $a)))
     (call $entries (local.get $a) (i32.const 64))`,
  ),
  handle(
    "headers of a request in another one",
    `(local.set $a (call $fields)) (drop (call $request (local.get $a))) (drop (call $request (local.get $a)))`,
  ),
  handle(
    "headers that it dropped",
    `(local.set $a (call $fields)) (call $drop-fields (local.get $a)) (drop (call $clone (local.get $a)))`,
  ),
  handle("headers as a request", "(drop (call $request-headers (call $fields)))"),
  handle("a request as headers", "(drop (call $clone (call $new)))"),
  handle(
    "a request that was sent",
    `(local.set $a (call $new)) (drop (call $send (local.get $a)))
     (drop (call $set-path (local.get $a) (i32.const 0) (i32.const 0) (i32.const 0)))`,
  ),
  handle(
    "a request twice",
    `(local.set $a (call $new)) (drop (call $send (local.get $a))) (drop (call $send (local.get $a)))`,
  ),
  handle(
    "a body that is finished",
    `(local.set $a (call $body (call $new))) (call $finish (local.get $a)) (call $finish (local.get $a))`,
  ),
  handle(
    "a body that is finished, to drop it",
    `(local.set $a (call $body (call $new))) (call $finish (local.get $a)) (call $drop-body (local.get $a))`,
  ),
  handle(
    "the end of a body before that of its stream",
    "(local.set $a (call $body (call $new))) (drop (call $stream (local.get $a))) (call $finish (local.get $a))",
  ),
  handle(
    "a body dropped before its stream",
    "(local.set $a (call $body (call $new))) (drop (call $stream (local.get $a))) (call $drop-body (local.get $a))",
  ),
  handle(
    "a stream of a body that it dropped",
    `(local.set $a (call $stream (call $body (call $new)))) (call $drop-output (local.get $a))
     (call $write (local.get $a) (i32.const 0) (i32.const 1) (i32.const 64))`,
  ),
  handle(
    "a stream of a body as an input",
    "(call $read (call $stream (call $body (call $new))) (i64.const 1) (i32.const 64))",
  ),
  handle(
    "a future that it dropped",
    `(local.set $a (call $send (call $new))) (call $drop-future (local.get $a))
     (call $get (local.get $a) (i32.const 64))`,
  ),
  handle("a future as a response", "(drop (call $response-headers (call $send (call $new))))"),
  handle(
    "options that a request has",
    `(local.set $a (call $options))
     (call $handle (call $new) (i32.const 1) (local.get $a) (i32.const 64))
     (call $handle (call $new) (i32.const 1) (local.get $a) (i32.const 64))`,
  ),
  handle("what a server has", "(drop (call $outgoing-response (call $fields)))"),
  handle(
    "a list of headers beyond its memory",
    "(call $from-list (i32.const 65520) (i32.const 1000) (i32.const 64))",
  ),
  handle(
    "a list of headers longer than any memory",
    "(call $from-list (i32.const 0) (i32.const 0x0fffffff) (i32.const 64))",
  ),
  attack(
    "the pollable of a future that it dropped",
    `(local.set $a (call $send (call $new)))
     (local.set $b (call $subscribe (local.get $a)))
     (call $drop-future (local.get $a))
     (call $block (local.get $b))
     (call $print-digit (call $ready (local.get $b)))`,
    { output: 1 },
  ),
];

const memory = { code: "ERR_STEP_MEMORY", message: /67108864/ } as const;
/** A value of 32 KiB in its own memory. */
const append = (fields: string): string =>
  `(call $append ${fields} (i32.const 512) (i32.const 6) (i32.const 1024) (i32.const 32768) (i32.const 64))`;
const filled = "(memory.fill (i32.const 1024) (i32.const 97) (i32.const 32768))";

/** Ways to fill the host's memory. */
const httpFloodAttacks: readonly Attack[] = [
  attack(
    "headers of one request",
    `${filled} (local.set $a (call $fields)) ${ever(append("(local.get $a)"))}`,
    memory,
  ),
  attack(
    "copies of headers",
    `${filled} (local.set $a (call $fields)) ${append("(local.get $a)").repeat(20)}
     ${ever("(drop (call $clone (local.get $a)))")}`,
    memory,
  ),
  attack(
    "what it sees of a request's headers",
    `${filled} (local.set $a (call $fields)) ${append("(local.get $a)").repeat(20)}
     (local.set $a (call $request (local.get $a)))
     ${ever("(drop (call $request-headers (local.get $a)))")}`,
    memory,
  ),
  attack("headers of ever more requests", ever("(drop (call $request (call $fields)))"), trap),
  attack("options", ever("(drop (call $options))"), trap),
  attack("empty headers", ever("(drop (call $fields))"), trap),
  attack("bodies of ever more requests", ever("(drop (call $body (call $new)))"), trap),
  attack(
    "what bodies hold",
    ever(`
      (local.set $a (call $stream (call $body (call $new))))
      (call $write-zeroes (local.get $a) (i64.const 4000000) (i32.const 64))`),
    { ...memory, limits: { httpBodyBytes: 4_000_000 } },
  ),
  attack(
    "what a body holds, and as much memory of its own as there was before",
    `(call $write-zeroes (call $stream (call $body (call $new))) (i64.const 5000000) (i32.const 64))
     (if (i32.eq (memory.grow (i32.const 80)) (i32.const -1)) (then (unreachable)))`,
    {
      code: "ERR_STEP_MEMORY",
      message: /had 5\d{6} bytes and asked for 5242880 more, over the limit of 8388608 bytes/,
      limits: { httpBodyBytes: 6_000_000, memoryBytes: 8 * 1024 * 1024 },
    },
  ),
  attack(
    "paths",
    `(memory.fill (i32.const 1024) (i32.const 47) (i32.const 32768))
     ${ever("(drop (call $set-path (call $new) (i32.const 1) (i32.const 1024) (i32.const 32768)))")}`,
    memory,
  ),
  attack(
    "one body of 2^64 bytes",
    "(call $write-zeroes (call $stream (call $body (call $new))) (i64.const -1) (i32.const 64))",
    { code: "ERR_STEP_HTTP_TOO_LARGE", message: /limit of 100000\./, limits: { httpBodyBytes: 100_000 } },
  ),
  attack("requests that it drops at once", ever("(call $drop-future (call $send (call $new)))"), {
    code: "ERR_STEP_HTTP_REQUESTS",
    message: /over the limit of 4\./,
    // There each call is a message of its own: it is given up before the next one is heard of.
    on: { v8: { code: "ERR_STEP_TIMEOUT", limits: { wallMs: 500 } } },
  }),
  attack(
    "pollables of one future",
    `(local.set $a (call $send (call $new))) ${ever("(drop (call $subscribe (local.get $a)))")}`,
    trap,
  ),
];

/** What a server does to whom it answers. */
interface Answer {
  readonly name: string;
  readonly answer: (response: ServerResponse) => void;
  readonly body: string;
  readonly limits?: Partial<Limits>;
  readonly result: Partial<AttemptResult> | object;
}

const waits = "(drop (call $await (call $send (call $new))))";
/** Prints the outer case of the inner result: 0 for a response, 1 for an error. */
const prints = `${waits} (call $print-digit (i32.load8_u (i32.const 144)))`;
const failed = (code: string): object => ({ ok: false, failure: { code } });

const answers: readonly Answer[] = [
  {
    name: "a body without end",
    answer: (response) => {
      const more = (): void => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      response.on("close", () => response.off("drain", more));
      more();
    },
    body: waits,
    result: failed("ERR_STEP_HTTP_TOO_LARGE"),
  },
  {
    name: "headers without end",
    answer: (response) => response.writeHead(200, { long: "x".repeat(100_000) }).end(),
    body: prints,
    result: { ok: true, output: 1 },
  },
  {
    name: "a body that never comes",
    answer: (response) => void response.writeHead(200, { "content-length": "10" }).write("x"),
    body: waits,
    limits: { wallMs: 500 },
    result: failed("ERR_STEP_TIMEOUT"),
  },
  {
    name: "nothing",
    answer: () => undefined,
    body: waits,
    limits: { wallMs: 500 },
    result: failed("ERR_STEP_TIMEOUT"),
  },
  {
    name: "less than it said",
    answer: (response) => {
      response.writeHead(200, { "content-length": "10" }).write("x");
      setTimeout(() => response.destroy(), 20);
    },
    body: prints,
    result: { ok: true, output: 1 },
  },
];

/** How an attempt may end while its request is under way: the connection ends with it. */
const ends: readonly { readonly name: string; readonly body: string; readonly result: object }[] = [
  { name: "returns", body: "(drop (call $send (call $new)))", result: { ok: true } },
  { name: "traps", body: "(drop (call $send (call $new))) (unreachable)", result: failed("ERR_STEP_TRAP") },
  {
    name: "exits",
    body: "(drop (call $send (call $new))) (call $exit-with-code (i32.const 3))",
    result: failed("ERR_STEP_FAILED"),
  },
  { name: "waits for it", body: waits, result: failed("ERR_STEP_TIMEOUT") },
  {
    name: "never ends",
    body: "(drop (call $send (call $new))) (loop $more (br $more))",
    result: failed("ERR_STEP_TIMEOUT"),
  },
  {
    name: "drops it and waits",
    body: `(call $drop-future (call $send (call $new)))
      (call $block (call $subscribe-duration (i64.const 60000000000)))`,
    result: failed("ERR_STEP_TIMEOUT"),
  },
];

export const httpThemes: readonly (readonly [theme: string, attacks: readonly Attack[]])[] = [
  ["to abuse handles of HTTP", httpHandleAttacks],
  ["to flood through HTTP", httpFloodAttacks],
];

/** What happens between a step and a server that means no good. */
export function httpAnswers(harness: () => Harness): void {
  describe("to be answered with", () => {
    test.each(answers)("$name", async ({ answer, body, limits, result }) => {
      const { port } = await listen((_, response) => answer(response));
      const bytes = await httpProgram(`127.0.0.1:${port}`, `${body} ${done}`);
      const options = { capabilities: granting(port), ...(limits && { limits }) };
      expect(await harness().run(bytes, options)).toMatchObject(result);
    });
  });

  describe("to leave a request behind, where it", () => {
    test.each(ends)("$name", async ({ body, result }) => {
      let closed = 0;
      let begun = 0;
      const { port } = await listen((request) => {
        begun++;
        request.socket.on("close", () => closed++);
      });
      // It goes on once the request is there.
      const begin = `${body.replace("(call $send (call $new))", "(call $sent)")} ${done}`;
      const sent = `(func $sent (result i32) (local $future i32)
        (local.set $future (call $send (call $new)))
        (call $block (call $subscribe-duration (i64.const 300000000)))
        (local.get $future))`;
      const bytes = await httpProgram(`127.0.0.1:${port}`, begin, sent);
      const limits = { wallMs: 1_000 };
      expect(await harness().run(bytes, { capabilities: granting(port), limits })).toMatchObject(result);
      expect(begun).toBe(1);
      await expect.poll(() => closed, { timeout: 5_000 }).toBe(1);
    });
  });

  describe("to send what is two requests:", () => {
    test.each(["a\r\nhost: evil", "a\nb", "a\u0000b"])("%j in a header", async (value) => {
      const { port, received } = await listen((_, response) => response.end());
      const bytes = await httpProgram(
        `127.0.0.1:${port}`,
        `(local.set $a (call $fields))
         (call $append (local.get $a) (i32.const 512) (i32.const 6) (i32.const 1024) (i32.const ${value.length}) (i32.const 64))
         (call $print-digit (i32.load8_u (i32.const 64)))
         ${done}`,
        `(data (i32.const 1024) "${Buffer.from(value).toString("hex").replaceAll(/../g, "\\$&")}")`,
      );
      expect(await harness().run(bytes, { capabilities: granting(port) })).toMatchObject({ output: 1 });
      expect(received).toEqual([]);
    });
  });
}
