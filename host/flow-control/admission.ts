import type { Clock, Random } from "../clock.ts";
import type { Notices } from "../executor/notices.ts";
import type { Gates, Runs } from "../state/state.ts";
import type { Admitted, Applicant } from "./applicant.ts";
import { type Control, createControls, now } from "./controls.ts";
import { createDocuments } from "./documents.ts";

/** Admits new runs or refuses them, on all hosts of a store together. */
export interface Admission {
  /** The same for a run that asks again because its event was handed over again. Durable when it resolves. */
  admit(applicant: Applicant): Promise<Admitted>;
  /** Ends a run that was admitted, once it is stored, if a newer one has taken its place meanwhile. */
  settle(applicant: Applicant): Promise<void>;
}

interface AdmissionOptions {
  readonly gates: Gates;
  readonly runs: Pick<Runs, "load">;
  readonly clock: Clock;
  readonly random: Random;
  readonly notices: Pick<Notices, "expressionError">;
  /** Throws ERR_RUN_UNKNOWN and ERR_RUN_STATE. */
  cancel(runId: string, reason: string): Promise<void>;
}

/** Documents whose last change is remembered. */
const remembered = 1_000;

export function createAdmission(options: AdmissionOptions): Admission {
  const controls = createControls({ ...options, documents: createDocuments({ ...options, remembered }) });
  // What may refuse comes first, and what ends another run behind that.
  const inOrder = [controls.idempotency, controls.rateLimit, controls.singleton, controls.throttle];

  return {
    async admit(applicant) {
      const entered: Control[] = [];
      let answer = now;
      for (const make of inOrder) {
        const control = make(applicant);
        if (control === undefined) continue;
        answer = await control.enter();
        if (answer.kind !== "refused") entered.push(control);
        else return { ...answer, undo: async () => void (await Promise.all(entered.map(leave))) };
      }
      return answer;
    },
    settle: controls.settle,
  };
}

async function leave(control: Control): Promise<void> {
  await control.leave?.();
}
