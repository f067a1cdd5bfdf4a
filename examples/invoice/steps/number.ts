import { open } from "wasi:keyvalue/store";
import { increment } from "wasi:keyvalue/atomics";

interface Input {
  ctx: { idempotencyKey: string };
}

export default ({ ctx }: Input) => {
  const bucket = open("default");
  // An attempt before this one may have taken a number, and failed after that.
  const taken = bucket.get(ctx.idempotencyKey);
  if (taken) return { number: Number(new TextDecoder().decode(taken)) };
  const number = increment(bucket, "invoices", 1);
  bucket.set(ctx.idempotencyKey, new TextEncoder().encode(String(number)));
  return { number };
};
