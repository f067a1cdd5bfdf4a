import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { extname } from "node:path";
import type { ComponentizeAnswer, ComponentizeRequest } from "./componentizer.ts";

/** Milliseconds that evaluating a step's module may take, and all else that makes a component of it. */
const longestBuild = 30_000;

/** What became of a componentization; `late`: it was ended because it took too long. */
export type Componentized =
  | ComponentizeAnswer
  | { readonly ok: false; readonly message: string; readonly late: true };

/** Makes a component in a child process; throws the signal's reason when it is aborted. */
export async function componentize(
  request: ComponentizeRequest,
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<Componentized> {
  const { signal, timeoutMs = longestBuild } = options;
  signal?.throwIfAborted();
  const script = fileURLToPath(new URL(`./componentizer${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outputs = [text(child.stdout), text(child.stderr)] as const;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const abort = (): boolean => child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal?.throwIfAborted();
    if (late) return { ok: false, late, message: `it was not done after ${timeoutMs / 1000} s` };
    const [stdout, stderr] = await Promise.all(outputs);
    if (stdout !== "") return JSON.parse(stdout) as ComponentizeAnswer;
    return {
      ok: false,
      message: stderr.trim().split("\n").slice(-5).join("\n") || `the process ended with ${code}`,
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
