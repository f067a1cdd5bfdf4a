import { MillraceError } from "../errors.ts";
import { CliError } from "./errors.ts";

/** Where an API is to listen, and whether both of its gates have keys. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly key?: unknown;
  readonly apiKey?: unknown;
}

/** Beyond this machine both gates need a key. Throws ERR_USAGE. */
export function checkKeys({ host, key, apiKey }: Address): void {
  if (/^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/.test(host) || (key !== undefined && apiKey !== undefined))
    return;
  throw new CliError("ERR_USAGE", `On ${host} others than this machine can send events and read runs.`, {
    next: "Give --key and --api-key, or leave --host out.",
  });
}

/** Begins to listen. Throws ERR_PORT_IN_USE. */
export async function listen(
  api: { listen(address: { port: number; hostname: string }): Promise<{ url: string }> },
  { port, host }: Address,
): Promise<{ url: string }> {
  try {
    return await api.listen({ port, hostname: host });
  } catch (error) {
    const code =
      error instanceof MillraceError ? (error.cause as { code?: unknown } | undefined)?.code : undefined;
    if (code !== "EADDRINUSE") throw error;
    throw new CliError("ERR_PORT_IN_USE", `Port ${port} on ${host} is in use by another process.`, {
      cause: error,
      next: "Stop the other process, or choose another port: --port 0 takes any that is free.",
    });
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
