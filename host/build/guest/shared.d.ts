import type { host, Pollable } from "millrace:guest/host";

declare global {
  /** What the guest shares with a step's bundle: of the first three what its world has. */
  const __millrace: {
    log(level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
    readStdin?: () => string;
    write?: (stream: "stdout" | "stderr", text: string) => void;
    readonly host: typeof host;
    watch(pollable: Pollable, callback: () => void): () => void;
    reachOutside(what: string): void;
  };
}
