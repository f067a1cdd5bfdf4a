/** A Lambda function: its event is the step's input, and what it returns is the output. */
export const handler = async ({ event, steps }) => {
  if (event.user.email === undefined) {
    // Another attempt would find none either.
    throw Object.assign(new Error("the user has no e-mail address"), { name: "FatalError" });
  }
  const tags = [event.data.plan, ...(steps["step-1"].sent ? ["sms"] : [])];
  return { contact: event.user.email, tags };
};
