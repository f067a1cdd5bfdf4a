// What the guest imports from its world, as componentize-qjs hands it out: one module an interface, its functions
// on the default export, u64 as number, list<u8> as Uint8Array, an error result as a throw.

declare module "millrace:step/log@0.1.0" {
  const log: {
    log(level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
  };
  export default log;
}

declare module "wasi:random/random@0.2.12" {
  const random: { getRandomBytes(length: number): Uint8Array };
  export default random;
}

declare module "wasi:clocks/monotonic-clock@0.2.12" {
  const clock: {
    /** Nanoseconds. */
    now(): number;
    subscribeDuration(nanoseconds: number): { block(): void; [Symbol.dispose](): void };
  };
  export default clock;
}

declare module "wasi:cli/environment@0.2.12" {
  const environment: { getArguments(): string[]; getEnvironment(): [string, string][] };
  export default environment;
}

declare module "wasi:cli/exit@0.2.12" {
  const exit: { exitWithCode(code: number): never };
  export default exit;
}

declare module "wasi:cli/stdin@0.2.12" {
  const stdin: { getStdin(): { blockingRead(length: number): Uint8Array } };
  export default stdin;
}

declare module "wasi:cli/stdout@0.2.12" {
  const stdout: { getStdout(): { blockingWriteAndFlush(bytes: Uint8Array): void } };
  export default stdout;
}

declare module "wasi:cli/stderr@0.2.12" {
  const stderr: { getStderr(): { blockingWriteAndFlush(bytes: Uint8Array): void } };
  export default stderr;
}

/** What the guest shares with a step's bundle: of these what its world has. */
declare const __millrace: {
  log(level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
  readStdin(): string;
  write(stream: "stdout" | "stderr", text: string): void;
};
