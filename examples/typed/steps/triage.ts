// A step that exports millrace:step/handler itself, as a component in any other language does.
import { log } from "millrace:step/log";

export const handler = {
  run({ event, ctx }: StepInput): Json {
    const { subject } = JSON.parse(event.data) as { subject?: string };
    if (subject === undefined) throw { tag: "fatal", val: "the ticket has no subject" } satisfies StepFailure;
    if (ctx.attempt === 1) {
      log("warn", "the classifier is busy");
      // 20 ms from now, whatever the retry policy says.
      throw { tag: "retry", val: { message: "the classifier is busy", after: 20 } } satisfies StepFailure;
    }
    const urgent = /\b(down|outage|urgent)\b/i.test(subject);
    log("debug", `${subject}: ${urgent ? "urgent" : "can wait"}`);
    return JSON.stringify({ urgent, queue: urgent ? "on-call" : "support" });
  },
};
