import { Trap } from "../component/trap.ts";
import type { HostAnswer, HostCall, WithBytes } from "../../calls.ts";
import { waitForCall } from "./io.ts";
import type { Outside, StepWorld } from "./world.ts";

/** What asks the host; a trap where nobody is there to be asked. */
export function outsideOf({ outside }: StepWorld): Outside {
  if (outside === undefined) throw new Trap("there is no host to ask yet: the component is being built");
  return outside;
}

/** Asks something of the host and waits for the answer. */
export function ask(world: StepWorld, call: HostCall, bytes?: Uint8Array): WithBytes<HostAnswer> {
  const { calls } = outsideOf(world);
  const number = calls.ask(call, bytes);
  waitForCall(calls, world.ambient, [number]);
  return calls.take(number);
}
