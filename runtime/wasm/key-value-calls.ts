import { type KeyValues, keyValueBounds } from "../key-values.ts";
import type { HostAnswer, HostCall, WithBytes } from "./calls.ts";

type KeyValueCall = Exclude<HostCall, { readonly op: "http" }>;

/** Answers what an attempt asks of its function's key-value store. */
export type KeyValueCalls = (
  call: WithBytes<KeyValueCall>,
  signal: AbortSignal,
) => Promise<WithBytes<HostAnswer>>;

/** The one bucket that there is, by its two names. */
const buckets: readonly string[] = ["", "default"];
/** Calls of one attempt that the store has at once; the others wait, whatever the guest starts. */
const mostAtOnce = 8;

/** The key-value store of one function. Calls are bounded here: what is behind it may take what it is given. */
export function createKeyValueCalls(store: KeyValues, functionId: string): KeyValueCalls {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  return async (call, signal) => {
    if (underWay === mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else underWay++;
    try {
      if (signal.aborted) return other("the attempt has ended");
      return await answer(store, functionId, call);
    } catch (error) {
      return other(error instanceof Error ? error.message : String(error));
    } finally {
      const next = waiting.shift();
      if (next === undefined) underWay--;
      else next();
    }
  };
}

async function answer(
  store: KeyValues,
  functionId: string,
  { head, bytes = new Uint8Array() }: WithBytes<KeyValueCall>,
): Promise<WithBytes<HostAnswer>> {
  if (!buckets.includes(head.bucket)) return { head: { kind: "kv-error", code: "no-such-store" } };
  if (head.op === "kv.keys") {
    const { keys, next } = await store.keys(functionId, head.cursor);
    return { head: { kind: "keys", keys, ...(next !== undefined && { cursor: next }) } };
  }
  const { key } = head;
  const wrong = wrongKey(key);
  if (wrong !== undefined) return other(wrong);
  switch (head.op) {
    case "kv.get":
    case "kv.exists": {
      const found = await store.get(functionId, key);
      if (found === undefined) return { head: { kind: "value", found: false } };
      const value = { kind: "value", found: true, revision: found.revision } as const;
      return head.op === "kv.get" ? { head: value, bytes: found.value } : { head: value };
    }
    case "kv.delete":
      await store.delete(functionId, key);
      return { head: { kind: "done", changed: true } };
    case "kv.set": {
      const { valueBytes } = keyValueBounds;
      if (bytes.length > valueBytes)
        return other(`a value has up to ${valueBytes} bytes, not ${bytes.length}`);
      const done = await store.set(functionId, key, bytes, head.revision);
      return done === "full" ? full() : { head: { kind: "done", changed: done === "done" } };
    }
    default: {
      const sum = await store.increment(functionId, key, BigInt(head.delta));
      if (sum === "full") return full();
      if (sum === "no-number") return other("the value is no whole number, or would not fit into 64 bits");
      return { head: { kind: "count", value: String(sum) } };
    }
  }
}

function wrongKey(key: string): string | undefined {
  const { length } = Buffer.from(key);
  const { keyBytes } = keyValueBounds;
  return length > 0 && length <= keyBytes ? undefined : `a key has 1 to ${keyBytes} bytes, not ${length}`;
}

function full(): WithBytes<HostAnswer> {
  return other(`a function has up to ${keyValueBounds.keys} keys`);
}

function other(detail: string): WithBytes<HostAnswer> {
  return { head: { kind: "kv-error", code: "other", detail } };
}
