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

declare module "millrace:guest/host" {
  /** A handle of something that one can wait for. */
  export interface Pollable {
    [Symbol.dispose](): void;
  }

  /** A case of a variant, or of a result within another value. */
  export interface Case<Tag extends string = string, Value = unknown> {
    readonly tag: Tag;
    readonly val?: Value;
  }

  interface Fields {
    entries(): [string, Uint8Array][];
  }

  interface OutgoingBody {
    write(): { blockingWriteAndFlush(bytes: Uint8Array): void; [Symbol.dispose](): void };
  }

  interface OutgoingRequest {
    body(): OutgoingBody;
    setMethod(method: Case): void;
    setScheme(scheme: Case): void;
    setAuthority(authority: string): void;
    setPathWithQuery(path: string): void;
  }

  export interface IncomingResponse {
    status(): number;
    headers(): Fields;
    consume(): { stream(): { blockingRead(length: number): Uint8Array } };
  }

  export interface FutureResponse {
    subscribe(): Pollable;
    /** Null until there is one; then a result of a result. */
    get(): Case<"ok", Case<"ok", IncomingResponse> | Case<"err", Case>> | Case<"err"> | null;
    [Symbol.dispose](): void;
  }

  export interface HttpHost {
    readonly poll: { poll(pollables: readonly Pollable[]): readonly number[] };
    readonly clock: { subscribeDuration(nanoseconds: number): Pollable };
    readonly types: {
      readonly Fields: { fromList(entries: readonly (readonly [string, Uint8Array])[]): Fields };
      readonly OutgoingRequest: new (headers: Fields) => OutgoingRequest;
      readonly OutgoingBody: { finish(body: OutgoingBody, trailers: null): void };
    };
    readonly handler: { handle(request: OutgoingRequest, options: null): FutureResponse };
  }

  export interface Bucket {
    get(key: string): Uint8Array | null;
    set(key: string, value: Uint8Array): void;
    delete(key: string): void;
    exists(key: string): boolean;
    listKeys(cursor: string | null): { keys: string[]; cursor: string | null };
  }

  export interface KvHost {
    readonly store: { open(identifier: string): Bucket; readonly Bucket: new () => Bucket };
    readonly atomics: {
      readonly Cas: { new (): unknown; new: (bucket: Bucket, key: string) => object };
      increment(bucket: Bucket, key: string, delta: number): number;
      swap(cas: object, value: Uint8Array): void;
    };
    readonly batch: {
      getMany(bucket: Bucket, keys: readonly string[]): ([string, Uint8Array] | null)[];
      setMany(bucket: Bucket, pairs: readonly (readonly [string, Uint8Array])[]): void;
      deleteMany(bucket: Bucket, keys: readonly string[]): void;
    };
  }

  interface Time {
    readonly seconds: number;
    readonly nanoseconds: number;
  }

  export interface DescriptorStat {
    readonly type: "directory" | "symbolic-link" | "regular-file";
    readonly linkCount: number;
    readonly size: number;
    readonly dataAccessTimestamp: Time;
    readonly dataModificationTimestamp: Time;
    readonly statusChangeTimestamp: Time;
  }

  interface Follow {
    readonly symlinkFollow: boolean;
  }

  export interface Descriptor {
    setSize(size: number): void;
    read(length: number, offset: number): [Uint8Array, boolean];
    write(bytes: Uint8Array, offset: number): number;
    readDirectory(): {
      readDirectoryEntry(): { type: DescriptorStat["type"]; name: string } | null;
      [Symbol.dispose](): void;
    };
    createDirectoryAt(path: string): void;
    stat(): DescriptorStat;
    statAt(follow: Follow, path: string): DescriptorStat;
    setTimesAt(follow: Follow, path: string, accessed: Case, modified: Case): void;
    linkAt(follow: Follow, path: string, other: Descriptor, newPath: string): void;
    openAt(follow: Follow, path: string, open: object, flags: object): Descriptor;
    readlinkAt(path: string): string;
    removeDirectoryAt(path: string): void;
    renameAt(path: string, other: Descriptor, newPath: string): void;
    symlinkAt(target: string, path: string): void;
    unlinkFileAt(path: string): void;
    [Symbol.dispose](): void;
  }

  /** What this guest imports by the capabilities that its step uses. */
  export const host: {
    readonly http?: HttpHost;
    readonly config?: {
      readonly store: { get(key: string): string | null; getAll(): [string, string][] };
    };
    readonly kv?: KvHost;
    readonly tmp?: { readonly preopens: { getDirectories(): [Descriptor, string][] } };
  };
}
