/** Would be sent by mail; the link opens a page with two buttons. */
export default ({ event, ctx }) => ({
  to: event.data.manager,
  text: `${event.user.id} asks for ${event.data.amount} EUR (${event.data.what}): ${ctx.links.approval}`,
});
