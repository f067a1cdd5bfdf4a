import { type CelFunc, CelScalar, celEnv, celFunc, celMethod, listType } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { RE2JS } from "@bufbuild/re2";
import { concatLists } from "./growing-list.ts";
import { containsText } from "./text-search.ts";

// Why this library: of 924 tests of the CEL specification that need no protobuf messages it passes 917, cel-js 8.0
// passes 824; and its `matches` is RE2's, where cel-js hands the pattern to JavaScript's engine, which backtracks.
// cel-js evaluates about ten times faster, which at a million evaluations a second buys nothing here.

/** The environment that expressions are planned in. */
export type Environment = ReturnType<typeof celEnv>;

/** Pays for work that an expression causes; throws when it has caused too much. */
export type Spend = (units: number) => void;

/** CEL's string extensions whose time and result grow no faster than their text; `split` is our own. */
const stringExtensions = new Set(["charAt", "lowerAscii", "substring", "trim", "upperAscii"]);

/** Patterns that one environment keeps compiled: those in the source, and some that come from the event. */
const keptPatterns = 16;
const longestPattern = 1024;
const longestSeparator = 64;
/** Characters times states of a pattern's automaton that cost one unit of work. */
const matchesAUnit = 64;

/**
 * An environment with CEL's standard functions and three additions: some string functions, arithmetic between
 * doubles and ints (JSON numbers are doubles, literals often ints), and regular expressions compiled once.
 */
export function createEnvironment(spend: Spend): Environment {
  const compiled = new Map<string, RE2JS>();
  const compile = (pattern: string): RE2JS => {
    const known = compiled.get(pattern);
    if (known !== undefined) return known;
    const matcher = compilePattern(pattern);
    if (compiled.size < keptPatterns) compiled.set(pattern, matcher);
    return matcher;
  };
  return celEnv({
    funcs: [
      ...mixedArithmetic(),
      ...strings.filter((func) => stringExtensions.has(func.name)),
      ...overrides(spend),
    ],
    re2: {
      compile(pattern) {
        const matcher = compile(pattern);
        const states = matcher.re2().prog.numInst();
        return {
          test(text) {
            spend(Math.ceil((text.length * states) / matchesAUnit));
            return matcher.test(text);
          },
        };
      },
    },
  });
}

/** Compiles a regular expression in RE2's syntax, whose time grows with the text alone; throws when it is wrong. */
export function compilePattern(pattern: string): RE2JS {
  if (pattern.length > longestPattern) {
    throw new RangeError(`a regular expression has at most ${longestPattern} characters`);
  }
  return RE2JS.compile(pattern);
}

/** Replaces functions whose time could grow with the square of their input. */
function overrides(spend: Spend): CelFunc[] {
  const { BOOL, DYN, STRING } = CelScalar;
  const list = listType(DYN);
  return [
    celMethod("contains", STRING, [STRING], BOOL, function contains(needle) {
      return containsText(this, needle);
    }),
    celMethod("split", STRING, [STRING], listType(STRING), function split(separator) {
      if (separator.length > longestSeparator) {
        throw new RangeError(`\`split\` takes a separator of at most ${longestSeparator} characters`);
      }
      return this.split(separator);
    }),
    celFunc("_+_", [list, list], list, (left, right) => concatLists(left, right, spend)),
  ];
}

function mixedArithmetic(): CelFunc[] {
  const { DOUBLE, INT } = CelScalar;
  const operators: readonly [string, (left: number, right: number) => number][] = [
    ["_+_", (left, right) => left + right],
    ["_-_", (left, right) => left - right],
    ["_*_", (left, right) => left * right],
    ["_/_", (left, right) => left / right],
    ["_%_", (left, right) => left % right],
  ];
  return operators.flatMap(([name, apply]) => [
    celFunc(name, [DOUBLE, INT], DOUBLE, (left, right) => apply(left, Number(right))),
    celFunc(name, [INT, DOUBLE], DOUBLE, (left, right) => apply(Number(left), right)),
  ]);
}
