export default ({ event }) => `${event.data.amount} EUR are on their way to ${event.user.id}.`;
