import { open } from "wasi:keyvalue/store";

interface Input {
  events: { ts: number; data: { shop: string; amount: number } }[];
  ctx: { idempotencyKey: string };
}

/** One entry for each day, under a key of this run's own: an attempt that comes again writes the same. */
export default ({ events, ctx }: Input) => {
  const [shop] = events.map(({ data }) => data.shop);
  const days = Map.groupBy(events, ({ ts }) => new Date(ts).toISOString().slice(0, 10));
  const bucket = open("default");
  for (const [day, sales] of days) {
    const revenue = sales.reduce((sum, { data }) => sum + data.amount, 0);
    const entry = JSON.stringify({ shop, sales: sales.length, revenue });
    bucket.set(`${day} ${ctx.idempotencyKey}`, new TextEncoder().encode(entry));
  }
  return { shop, sales: events.length, days: [...days.keys()] };
};
