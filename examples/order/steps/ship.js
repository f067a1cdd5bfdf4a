// One program for two steps: ctx.stepId says which of them it is.
export default ({ event, ctx }) => {
  const carrier = ctx.stepId === "ship-express" ? "courier" : "post";
  return { carrier, tracking: `${carrier}-${event.data.id}` };
};
