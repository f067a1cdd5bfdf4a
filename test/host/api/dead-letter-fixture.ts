import type { DeadLetter, DeadLetters } from "../../../host/broker/broker.ts";

/** So many dead letters in memory, numbered from 1; and what was published once more. */
export function keptDeadLetters(count: number): { deadLetters: DeadLetters; resubmitted: number[] } {
  const resubmitted: number[] = [];
  const kept = new Map<number, DeadLetter>();
  for (let seq = 1; seq <= count; seq += 1) {
    kept.set(seq, {
      seq,
      at: 1_000 + seq,
      subject: "millrace.events.a.b",
      code: "ERR_EVENT_INVALID",
      message: "it must be an object, and is array",
      problems: [{ code: "ERR_EVENT_INVALID", message: "it must be an object", pointer: "" }],
      payload: `[${seq}]`,
    });
  }
  return {
    resubmitted,
    deadLetters: {
      count: async () => kept.size,
      list: async ({ afterSeq = 0, limit }) =>
        [...kept.values()].filter(({ seq }) => seq > afterSeq).slice(0, limit),
      get: async (seq) => kept.get(seq),
      async resubmit(seq) {
        if (kept.has(seq)) resubmitted.push(seq);
        return kept.delete(seq);
      },
      discard: async (seq) => kept.delete(seq),
    },
  };
}
