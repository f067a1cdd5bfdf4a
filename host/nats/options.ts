/** How a nats:// store is reached and laid out; what is not given of its layout stays as it is. */
export interface NatsOptions {
  /** Begins every subject, stream and bucket, so that several installations can share a server; "millrace" by default. */
  readonly prefix?: string;
  /** Copies of each stream in a cluster: 1, 3 or 5; 1 at first. */
  readonly replicas?: number;
  /** How long a host may be silent before others take its runs, in milliseconds; the same on all hosts. 30,000 at first. */
  readonly leaseMs?: number;
  /** How long events are kept, in milliseconds; 7 days at first. */
  readonly keepEventsMs?: number;
  /** How long finished runs are kept, in milliseconds; for good by default. Longer than events, or one that comes again runs again. */
  readonly keepRunsMs?: number;
  /** Most bytes of stored events; an event that would go over it is refused. No limit by default. */
  readonly maxEventBytes?: number;
  /** File with a user's JWT and seed. */
  readonly creds?: string;
  /** File with a user's nkey seed. */
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Files in PEM; any of them turns TLS on, as does a tls:// URL. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Whether a store's URL names NATS servers. */
export function isNatsUrl(store: string): boolean {
  return /^(?:nats|tls):\/\//.test(store);
}
