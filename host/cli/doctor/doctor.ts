import { exitCodes } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Settings } from "../settings/resolve.ts";
import type { Terminal } from "../terminal.ts";
import { brokerResults } from "./broker-checks.ts";
import type { Check, CheckResult } from "./check.ts";
import { dockerCheck } from "./docker-check.ts";
import { engineCheck } from "./engine-check.ts";
import { builderCheck, projectCheck } from "./project-checks.ts";
import { toolchainResults } from "./toolchain-checks.ts";
import { waitsCheck } from "./waits-check.ts";
import { nodeCheck, portCheck, storeCheck } from "./system-checks.ts";

const checks: readonly Check[] = [
  nodeCheck,
  storeCheck,
  engineCheck,
  dockerCheck,
  builderCheck,
  projectCheck,
  waitsCheck,
  portCheck,
];

const marks = {
  ok: ["green", "✓"],
  warning: ["yellow", "!"],
  failed: ["red", "✗"],
  absent: ["dim", "·"],
} as const;

/** Runs every check, one after the other, and tells; resolves to the exit code. */
export async function examine(settings: Settings, terminal: Terminal): Promise<number> {
  const results: ({ name: string } & CheckResult)[] = [];
  const take = (result: { name: string } & CheckResult): void => {
    results.push(result);
    if (!terminal.json) tell(result, terminal);
  };
  for (const check of checks) take({ name: check.name, ...(await check.run().catch(failed)) });
  for await (const result of toolchainResults()) take(result);
  try {
    for await (const result of brokerResults(settings)) take(result);
  } catch (error) {
    const next = "Look at its URL and the credentials, and whether the server runs.";
    take({ name: "broker", ...failed(error), next });
  }
  const ok = results.every(({ status }) => status !== "failed");
  if (terminal.json) terminal.printJson({ ok, checks: results });
  return ok ? exitCodes.ok : exitCodes.failed;
}

function failed(error: unknown): CheckResult {
  const { code, message } = error as { code?: string; message?: string };
  return { status: "failed", detail: [code, message ?? String(error)].filter(Boolean).join(" ") };
}

function tell(
  { name, status, detail, next }: { name: string } & CheckResult,
  { print, out }: Terminal,
): void {
  const [colour, mark] = marks[status];
  print(`${out(colour, mark)} ${out("bold", name.padEnd(8))} ${printable(detail)}`);
  const label = status === "absent" ? out("dim", "to have it:") : `${out("cyan", "next:")}    `;
  if (next !== undefined) print(`  ${label} ${next}`);
}
