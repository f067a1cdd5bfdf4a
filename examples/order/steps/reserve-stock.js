const stock = new Map([
  ["chair", 12],
  ["lamp", 3],
]);

export default ({ event }) => {
  const missing = event.data.items.filter(({ sku, quantity }) => (stock.get(sku) ?? 0) < quantity);
  if (missing.length > 0) {
    // No further attempt can help, so the run fails at once and `onFailure` runs.
    throw Object.assign(new Error(`out of stock: ${missing.map(({ sku }) => sku).join(", ")}`), {
      fatal: true,
    });
  }
  return { reserved: event.data.items.map(({ sku, quantity }) => ({ sku, quantity })) };
};
