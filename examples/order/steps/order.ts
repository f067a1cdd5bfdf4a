/** The event's data, as events/order/placed.json describes it. */
export interface Order {
  id: string;
  country: string;
  items: { sku: string; quantity: number; price: number }[];
}

/** Tax rates by country. */
const taxes = new Map([
  ["DE", 0.19],
  ["GB", 0.2],
]);

/** The order's price with tax, rounded to cents. */
export function total({ items, country }: Order): number {
  const net = items.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
  return Math.round(net * (1 + (taxes.get(country) ?? 0)) * 100) / 100;
}
