import type { HostAnswer, HostCalls, WithBytes } from "./calls.ts";

/** Answers calls for which nothing was granted. */
export const refusedCalls: HostCalls = ({ head }) => {
  const refused: HostAnswer =
    head.op === "http"
      ? { kind: "http-error", code: "HTTP-request-denied" }
      : { kind: "kv-error", code: "access-denied" };
  return Promise.resolve({ head: refused } satisfies WithBytes<HostAnswer>);
};
