/** What happened in a simulation, line by line. */
export interface Trace {
  add(line: string): void;
  /** Equal for equal traces. */
  hash(): string;
  /** Empty unless lines are kept. */
  readonly lines: readonly string[];
}

export function createTrace(keep: boolean): Trace {
  const lines: string[] = [];
  let high = 0x811c9dc5;
  let low = 0x9e3779b9;
  return {
    add(line) {
      for (let i = 0; i < line.length; i++) {
        const code = line.charCodeAt(i);
        high = Math.imul(high ^ code, 0x01000193);
        low = Math.imul(low ^ code, 0x5bd1e995);
      }
      high = Math.imul(high ^ 10, 0x01000193);
      if (keep) lines.push(line);
    },
    hash: () => [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join(""),
    lines,
  };
}
