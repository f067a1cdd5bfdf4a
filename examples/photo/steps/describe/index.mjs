/** A Lambda function: its event is the step's input, and what it returns is the output. */
export const handler = async ({ event: { data }, steps }) => {
  const who = ["nobody", "one person"][data.people] ?? `${data.people} people`;
  const largest = steps.resize.sizes.at(-1);
  return { alt: `${who} at ${data.place}`, largest: `${largest.width}×${largest.height}` };
};
