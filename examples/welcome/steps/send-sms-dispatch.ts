// A function: the event, the outputs of the steps before, and the context go in; what it returns comes out.

interface Input {
  event: { data: { phone: string }; user: { name: string } };
  ctx: { idempotencyKey: string };
}

export default async ({ event, ctx }: Input) => {
  const text = `Welcome, ${event.user.name}!`;
  console.log(`to ${event.data.phone}: ${text}`);
  // A real dispatch would pass ctx.idempotencyKey on, so that a second attempt sends no second message.
  return { to: event.data.phone, text, sent: ctx.idempotencyKey !== "" };
};
