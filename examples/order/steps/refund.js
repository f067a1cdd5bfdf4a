// Runs once when the run has failed; ctx.failure says at which step and why.
export default ({ event, ctx }) => ({ refunded: event.data.id, because: ctx.failure.message });
