/** Nobody may have answered: then there is no `async`. */
export default ({ event, async }) =>
  `${event.data.what} is not paid: ${async === undefined ? "nobody answered" : (async.data.comment ?? "no reason given")}.`;
