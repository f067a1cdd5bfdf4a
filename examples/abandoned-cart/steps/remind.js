export default ({ event, steps }) => `${event.user.id}, ${steps.note.best} is still in your cart.`;
