import type { HostErrorCode } from "../errors.ts";

/** How a toolchain is installed. */
export interface Install {
  readonly debian: string;
  readonly macos: string;
}

interface Lack {
  readonly ok: false;
  readonly code: HostErrorCode;
  readonly message: string;
}

/** A toolchain that is not there. `what` begins a sentence: "cargo is not on PATH". */
export function missing(what: string, install: Install): Lack {
  return { ok: false, code: "ERR_BUILD_TOOLCHAIN_MISSING", message: `${what}. ${lines(install)}` };
}

/** A toolchain that is older than what steps need. */
export function tooOld(tool: string, version: string, needed: string, install: Install): Lack {
  const message = `${tool} ${version} is older than ${needed}, which steps need. ${lines(install)}`;
  return { ok: false, code: "ERR_BUILD_TOOLCHAIN_OLD", message };
}

function lines({ debian, macos }: Install): string {
  return `Debian: ${debian} · macOS: ${macos}`;
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
