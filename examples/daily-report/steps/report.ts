import { open } from "wasi:keyvalue/store";

interface Input {
  event: { data: { scheduledAt: string } };
}

interface Sums {
  sales: number;
  revenue: number;
}

export default ({ event }: Input) => {
  const day = new Date(Date.parse(event.data.scheduledAt) - 86_400_000).toISOString().slice(0, 10);
  const bucket = open("default");
  const shops: Record<string, Sums> = {};
  for (const key of keysOf(bucket)) {
    // What was reported yesterday is needed no more; an attempt that comes again still finds today's.
    if (key < day) bucket.delete(key);
    const value = key.startsWith(day) ? bucket.get(key) : undefined;
    if (!value) continue;
    const { shop, sales, revenue } = JSON.parse(new TextDecoder().decode(value)) as Sums & { shop: string };
    const before = shops[shop] ?? { sales: 0, revenue: 0 };
    shops[shop] = { sales: before.sales + sales, revenue: before.revenue + revenue };
  }
  return { day, shops };
};

function keysOf(bucket: ReturnType<typeof open>): string[] {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const page = bucket.listKeys(cursor);
    all.push(...page.keys);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}
