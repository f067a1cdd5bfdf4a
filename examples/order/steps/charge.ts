interface Input {
  event: { data: { id: string } };
  steps: { price: { total: number; currency: string } };
  ctx: { attempt: number };
}

export default async ({ event, steps, ctx }: Input) => {
  const { total, currency } = steps.price;
  console.info(`charging ${total} ${currency} for ${event.data.id}, attempt ${ctx.attempt}`);
  // The bank is down for the first two attempts; the function's retry policy brings the third.
  if (ctx.attempt < 3) throw new Error("the bank does not answer");
  return { amount: total, currency, reference: `${event.data.id}-paid` };
};
