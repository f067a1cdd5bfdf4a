import type { HostErrorCode } from "../errors.ts";

/** How a toolchain is installed. */
export interface Install {
  readonly debian: string;
  readonly macos: string;
}

/** A toolchain that is not there or won't do. */
export interface Lack {
  readonly ok: false;
  readonly code: HostErrorCode;
  /** All of it, for whoever wants to build a step. */
  readonly message: string;
  /** What is wrong, without the stop. */
  readonly what: string;
  readonly install: Install;
}

/** What there is of a language's toolchain; `version` is for people. */
export type ToolchainState = { readonly ok: true; readonly version: string } | Lack;

/** A toolchain that is not there. `what` begins a sentence: "cargo is not on PATH". */
export function missing(what: string, install: Install): Lack {
  return lack("ERR_BUILD_TOOLCHAIN_MISSING", what, install);
}

/** A toolchain that is older than what steps need. */
export function tooOld(tool: string, version: string, needed: string, install: Install): Lack {
  const what = `${tool} ${version} is older than ${needed}, which steps need`;
  return lack("ERR_BUILD_TOOLCHAIN_OLD", what, install);
}

function lack(code: HostErrorCode, what: string, install: Install): Lack {
  const { debian, macos } = install;
  const lines = debian === macos ? `Run: ${debian}` : `Debian: ${debian} · macOS: ${macos}`;
  const message = `${what}. ${lines}`;
  return { ok: false, code, message, what, install };
}

/** Whether a version such as "1.95.0" is at least another. */
export function isAtLeast(version: string, needed: string): boolean {
  const have = numbersOf(version);
  for (const [index, least] of numbersOf(needed).entries()) {
    const part = have[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

function numbersOf(version: string): readonly number[] {
  return version.split(/[.-]/).map((part) => Number.parseInt(part) || 0);
}
