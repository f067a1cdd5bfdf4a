import { proxyActivities, proxySinks } from "@temporalio/workflow";

const { step } = proxyActivities({ startToCloseTimeout: "1 minute" });
const { runs } = proxySinks();

/** A workflow of so many activities, each given what the one before it returned. */
export async function bench(steps, event) {
  let output = event;
  for (let done = 0; done < steps; done += 1) output = await step(output);
  runs.one();
}
