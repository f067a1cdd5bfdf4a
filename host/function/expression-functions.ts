import { type CelFunc, CelScalar, celEnv, celFunc } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { RE2JS } from "@bufbuild/re2";

/** The environment that expressions are planned in. */
export type Environment = ReturnType<typeof celEnv>;

/** The string functions beyond CEL's own; those whose result can be far longer than their input are left out. */
const stringFunctions = new Set([
  "charAt",
  "indexOf",
  "lastIndexOf",
  "lowerAscii",
  "split",
  "substring",
  "trim",
  "upperAscii",
]);

/** Patterns that one environment keeps compiled. */
const keptPatterns = 16;

/**
 * An environment with CEL's standard functions and three additions: string functions, arithmetic between
 * doubles and ints (JSON numbers are doubles, literals often ints), and regular expressions compiled once.
 */
export function createEnvironment(): Environment {
  const compiled = new Map<string, RE2JS>();
  return celEnv({
    funcs: [...mixedArithmetic(), ...strings.filter((func) => stringFunctions.has(func.name))],
    re2: {
      compile(pattern) {
        let matcher = compiled.get(pattern);
        if (matcher === undefined) {
          matcher = compilePattern(pattern);
          if (compiled.size < keptPatterns) compiled.set(pattern, matcher);
        }
        return matcher;
      },
    },
  });
}

/** Compiles a regular expression in RE2's syntax, whose time grows with the text alone; throws when it is wrong. */
export function compilePattern(pattern: string): RE2JS {
  if (pattern.length > 1024) throw new RangeError("a regular expression has at most 1024 characters");
  return RE2JS.compile(pattern);
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
    ...(name === "_%_" ? [celFunc(name, [DOUBLE, DOUBLE], DOUBLE, apply)] : []),
  ]);
}
