/** How much work one evaluation may still do; the methods throw when it is used up. */
export interface Budget {
  readonly exhausted: boolean;
  spend(units: number): void;
  /** Pays for a look at one string. */
  text(length: number): void;
  /** Pays for one round of a loop: dearer once long strings are in play, since each round may scan one. */
  round(): void;
}

/** Characters that are scanned for one unit of work. */
const charactersAUnit = 64;
/** Nodes of an expression that are evaluated for one unit of work. */
const nodesAUnit = 16;

/** A budget of so many units for an expression of so many nodes; a unit is some 100 nanoseconds. */
export function createBudget(units: number, nodes: number): Budget {
  let left = units;
  let longest = 0;
  const spend = (spent: number): void => {
    left -= spent;
    if (left < 0) throw new RangeError("it takes too much work");
  };
  return {
    get exhausted() {
      return left < 0;
    },
    spend,
    text(length) {
      const weight = Math.floor(length / charactersAUnit);
      if (weight > longest) longest = weight;
      spend(1 + weight);
    },
    round: () => spend(1 + Math.floor(nodes / nodesAUnit) + longest),
  };
}
