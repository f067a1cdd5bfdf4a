interface Cart {
  readonly cart: string;
  readonly items: readonly { readonly name: string; readonly price: number }[];
}

/** The best of what is in the cart, and what all of it costs. */
export default ({ event }: { event: { data: Cart } }) => {
  const { items } = event.data;
  const [best] = items.toSorted((one, other) => other.price - one.price);
  return { best: best?.name ?? "nothing", total: items.reduce((sum, { price }) => sum + price, 0) };
};
