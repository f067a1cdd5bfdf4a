/** One synchronous invocation. */
export interface Invocation {
  readonly function: string;
  readonly qualifier?: string;
  /** JSON in UTF-8. */
  readonly payload: Uint8Array;
}

/** What Lambda answers to it. */
export interface InvocationAnswer {
  readonly payload: Uint8Array;
  /** Set when the function failed; the payload tells of the error then. */
  readonly functionError?: string;
  /** The end of the attempt's log, 4 KiB at most, in Base64. */
  readonly logResult?: string;
  /** Which version was invoked; the emulator does not say. */
  readonly executedVersion?: string;
  /** AWS names each request; the emulator names none. */
  readonly requestId?: string;
}

/** Where functions are: those that say nothing of it are in the region and at the address of the environment. */
export interface LambdaPlace {
  readonly region?: string;
  readonly endpoint?: string;
}

/** The part of Lambda's API that runs steps. Each method makes one request, and throws what the SDK throws. */
export interface LambdaApi {
  invoke(invocation: Invocation, signal: AbortSignal): Promise<InvocationAnswer>;
  /** Whether the function is there and may be invoked, without running it. */
  check(target: Omit<Invocation, "payload">, signal: AbortSignal): Promise<void>;
  /** Closes its connections. */
  close(): void;
}

/** Opens the API at a place. Throws PackageMissing. */
export type ConnectLambda = (place: LambdaPlace, sockets: number) => Promise<LambdaApi>;
