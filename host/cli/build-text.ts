import type { BuildProgress } from "../build/build.ts";
import type { Terminal } from "./terminal.ts";
import { span } from "./time.ts";

const words = {
  started: ["dim", "building"],
  cached: ["dim", "cached"],
  built: ["green", "built"],
  failed: ["red", "failed"],
} as const;

/** How long a step may build before it is worth a line, in milliseconds. */
const patience = 400;

/** Tells of steps that are built on stderr, and with `cached` of those that need not be. */
export function tellProgress(
  terminal: Terminal,
  options: { readonly cached?: boolean } = {},
): (progress: BuildProgress) => void {
  const waiting = new Map<string, NodeJS.Timeout>();
  return (progress) => {
    const { state, file } = progress;
    clearTimeout(waiting.get(file));
    waiting.delete(file);
    if (state === "started") {
      const tell = (): void => terminal.progress(progressLine(progress, terminal.err));
      waiting.set(file, setTimeout(tell, patience).unref());
    } else if (state !== "cached" || options.cached === true) {
      terminal.progress(progressLine(progress, terminal.err));
    }
  };
}

/** A line for what became of one source file. */
function progressLine({ state, file, steps, ms, size }: BuildProgress, style: Terminal["err"]): string {
  const names = steps.map(({ functionId, stepId }) => `${functionId}/${stepId}`).join(", ");
  const details = [...(ms === undefined ? [] : [span(ms)]), ...(size === undefined ? [] : [bytesText(size)])];
  const [colour, word] = words[state];
  return `${style(colour, word.padEnd(8))} ${file} ${style("dim", [...details, names].join(" · "))}`;
}

/** "1.6 MiB". */
export function bytesText(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 ** 2).toFixed(1)} MiB`;
}
