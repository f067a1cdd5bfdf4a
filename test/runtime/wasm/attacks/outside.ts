import { httpGrant, type HttpGrantDocument } from "../../../../host/function/capabilities.ts";
import { redacted } from "../../../../host/secrets/redacted.ts";
import { openDatabase } from "../../../../host/sqlite/database.ts";
import { createSqliteKeyValues } from "../../../../host/state/sqlite-key-values.ts";
import type { Capabilities } from "../../../../runtime/capabilities.ts";
import type { AttemptResult } from "../../../../runtime/driver.ts";
import type { Json } from "../../../../runtime/json.ts";
import type { Limits } from "../../../../runtime/limits.ts";
import { callsGuest } from "../calls-guest.ts";
import { createHarness, stepInput, testLimits } from "../harness.ts";
import type { CreateEngine } from "../harness.ts";

/** The operator's secrets in these attacks. */
export const secrets: ReadonlyMap<string, string> = new Map([
  ["BOUND", "bound-4f1e7c/+secret=&value"],
  ["PLAIN", "plain-9b3d22/+secret=&value"],
]);

/** What a name resolves to, each time it is asked for; loopback unless told otherwise. */
export type Answers = Readonly<Record<string, (time: number) => readonly string[]>>;

/** How code is run as a step. */
interface Given {
  readonly http?: readonly HttpGrantDocument[];
  readonly more?: Capabilities;
  readonly limits?: Partial<Limits>;
  readonly answers?: Answers;
  readonly functionId?: string;
}

/** Runs JavaScript against wasi:http and wasi:keyvalue in a step, with all of the host behind it that a step has in production. */
export interface OutsideHarness {
  run(code: string, given?: Given): Promise<AttemptResult>;
  /** What the code returned; throws what it ended with else. */
  output(code: string, given?: Given): Promise<Json>;
  close(): Promise<void>;
}

export async function createOutsideHarness(createEngine: CreateEngine): Promise<OutsideHarness> {
  const guest = await callsGuest();
  const asked = new Map<string, number>();
  let answers: Answers = {};
  const harness = createHarness(createEngine, 2, undefined, {
    secrets,
    services: {
      keyValues: createSqliteKeyValues(openDatabase({ file: ":memory:" })),
      resolve(name) {
        const time = asked.get(name) ?? 0;
        asked.set(name, time + 1);
        return Promise.resolve(answers[name]?.(time) ?? ["127.0.0.1"]);
      },
    },
  });
  const driver = redacted(new Map([["wasm", harness.driver]]), secrets).get("wasm");
  const run: OutsideHarness["run"] = async (code, given = {}) => {
    asked.clear();
    answers = given.answers ?? {};
    const { event, ctx } = stepInput();
    const { functionId = ctx.functionId } = given;
    const http = (given.http ?? []).map(httpGrant);
    if (driver === undefined) throw new Error("there is no driver");
    return driver.execute({
      program: { ...harness.put(guest), capabilities: { http, config: {}, kv: true, ...given.more } },
      input: stepInput({ event: { ...event, data: prelude + code }, ctx: { ...ctx, functionId } }),
      limits: { ...testLimits, ...given.limits },
    });
  };
  return {
    run,
    async output(code, given) {
      const result = await run(code, given);
      if (!result.ok) throw new Error(JSON.stringify(result.failure));
      return result.output;
    },
    close: () => harness.close(),
  };
}

/** A grant of loopback under a name. */
export const granted = (port: number, host = "127.0.0.1"): HttpGrantDocument => ({
  host: `http://${host}:${port}`,
  private: true,
});

/** A grant of every public host on a port. */
export const everywhere = (port: number): HttpGrantDocument => `http://*:${port}`;

/**
 * \`begin\` sends a request and gives the future response, or what was refused before; \`ask\` waits for it: \`{status,
 * headers, body}\` or \`{error}\`.
 */
const prelude = `
  const begin = (authority, { path = "/", headers = [], method, scheme = "HTTP", body } = {}) => {
    const refused = [];
    const tried = (what, action) => { if ("error" in attempt(action)) refused.push(what); };
    const fields = new http.Fields();
    for (const [name, value] of headers) tried("header", () => fields.append(name, bytes(value)));
    const request = new http.OutgoingRequest(fields);
    tried("scheme", () => request.setScheme({ tag: scheme }));
    tried("authority", () => request.setAuthority(authority));
    tried("path", () => request.setPathWithQuery(path));
    if (method !== undefined) tried("method", () => request.setMethod({ tag: "other", val: method }));
    if (body !== undefined) {
      const out = request.body(), stream = out.write();
      for (let at = 0; at < body.length; at += 4096) stream.blockingWriteAndFlush(bytes(body.slice(at, at + 4096)));
      stream[Symbol.dispose]();
      http.OutgoingBody.finish(out, null);
    }
    const handled = attempt(() => outgoing.handle(request, null));
    return { refused, future: handled.ok, error: handled.error };
  };
  const outcome = ({ refused, future, error }) => {
    if (error !== undefined) return { refused, error: error.tag };
    future.subscribe().block();
    const { tag, val } = future.get().val;
    if (tag === "err") return { refused, error: val.tag };
    const headers = Object.fromEntries(val.headers().entries().map(([name, value]) => [name, text(value)]));
    const stream = val.consume().stream();
    let body = "";
    for (;;) {
      const read = attempt(() => stream.blockingRead(65536));
      if (read.error !== undefined) break;
      body += text(read.ok);
    }
    return { refused, status: val.status(), headers, body };
  };
  const ask = (authority, how) => outcome(begin(authority, how));
`;
