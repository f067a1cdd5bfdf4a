import type { Json } from "../../../runtime/json.ts";
import type { HostAnswer, HostCall, HostCalls, WithBytes } from "../../../runtime/wasm/calls.ts";
import type { CallsHarness } from "./calls-harness.ts";

/** What the tests of wasi:http run code with. */
export interface HttpBench {
  /** What the code returns. */
  run(code: string, calls?: HostCalls): Promise<Json>;
  readonly harness: () => CallsHarness;
}

/** A response, as the host answers with it. */
export function response(
  status: number,
  body = "",
  headers: readonly (readonly [string, string])[] = [],
): WithBytes<HostAnswer> {
  return { head: { kind: "response", status, headers }, bytes: Buffer.from(body) };
}

/** Answers each request with the same response, and keeps what was asked. */
export function recording(answer = response(200)): {
  readonly calls: HostCalls;
  readonly asked: { readonly head: HostCall; readonly body: string }[];
} {
  const asked: { readonly head: HostCall; readonly body: string }[] = [];
  return {
    asked,
    calls: ({ head, bytes }) => {
      asked.push({ head, body: Buffer.from(bytes ?? []).toString() });
      return Promise.resolve(answer);
    },
  };
}

/** Code that sends a request to example.com, and waits for what comes back in \`future\`. */
export const send = (prepare: string, then = "return future.get().val.val.status();"): string => `
  const request = new http.OutgoingRequest(new http.Fields());
  request.setAuthority("example.com");
  ${prepare}
  const future = outgoing.handle(request, null);
  future.subscribe().block();
  ${then}`;
