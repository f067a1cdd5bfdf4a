import type { Definition } from "../function/definition.ts";
import type { RunUpdate } from "../state/state.ts";
import { leavings } from "../run/leavings.ts";
import type { RunLoopPorts } from "./run-loop-ports.ts";
import type { RunView } from "../run/run-view.ts";
import type { Execution } from "../run/execution.ts";
import type { Transition } from "../run/transition.ts";
import { waitsFor } from "../run/waits-for.ts";

/** What this host does with what is next for a run that it holds. */
export interface Plan {
  /** Attempts that start here. */
  readonly here: readonly Execution[];
  /** One whose runtime this host does not have. */
  readonly elsewhere: Execution | undefined;
  /** Nothing is to be done for the run here and now. */
  readonly idle: boolean;
  readonly wakeAt: number | undefined;
  readonly now: number;
}

/** `busy`: attempts are under way. */
export function planRound(
  { clock, drivers, holdMs, peers }: Pick<RunLoopPorts, "clock" | "drivers" | "holdMs" | "peers">,
  { execute, publish = false, wakeAt }: Transition,
  busy: boolean,
): Plan {
  const runsHere = ({ step }: Execution): boolean =>
    peers === undefined || drivers.has(step.program.runtime.type);
  const here = execute.filter(runsHere);
  const elsewhere = execute.find((execution) => !runsHere(execution));
  const now = clock.now();
  const soon = elsewhere === undefined && wakeAt !== undefined && wakeAt - now <= holdMs;
  return { here, elsewhere, idle: !busy && here.length === 0 && !soon && !publish, wakeAt, now };
}

interface Parking {
  readonly runId: string;
  readonly definition: Definition;
  /** This host. */
  readonly host: string;
  /** The timer that it was parked with before. */
  readonly timer: number | undefined;
}

/** Where a run stands in the store by a plan. What goes to another host is not let go before that was asked for. */
export function updateOf(
  view: RunView,
  { elsewhere, idle, wakeAt, now }: Plan,
  { runId, definition, host, timer }: Parking,
): RunUpdate {
  const own = idle && wakeAt !== undefined ? { wakeAt } : {};
  const left = () => (elsewhere === undefined ? leavings(runId, view, { timer, ...own, now }) : {});
  if (view.finished !== undefined) return { status: view.finished, finishedAt: now, ...left() };
  if (!idle) return { status: "running", host };
  if (view.paused === true) return { status: "paused", ...own, ...left() };
  const runtime = elsewhere?.step.program.runtime.type;
  const why = waitsFor(definition, view, { wakeAt, runtime });
  return { status: "parked", ...own, ...(why === undefined ? {} : { waitsFor: why }), ...left() };
}
