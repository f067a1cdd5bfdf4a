import { isEventName } from "../event/event-name.ts";

/** Every stream, bucket and subject of an installation; docs and code name them by these alone. */
export interface Names {
  readonly prefix: string;
  readonly events: StreamNames;
  readonly runs: StreamNames;
  readonly wakes: StreamNames;
  readonly deadLetters: StreamNames;
  readonly waits: StreamNames;
  readonly gates: StreamNames;
  readonly queues: StreamNames;
  readonly catalog: string;
  readonly artifacts: string;
  readonly keyValues: string;
  /** Subject of events of that name. */
  event(name: string): string;
  /** The name of the events on a subject; undefined when no name has that subject. */
  eventName(subject: string): string | undefined;
  deadLetter(eventSubject: string): string;
  run(functionDigest: string, runId: string): string;
  timer(runId: string, at: number): string;
  /** Subject of wakes that a host with that runtime's driver must take, or any host. */
  wake(runtime: string, runId: string): string;
  /** Subject of an armed wait; with "*" for what is not known. */
  wait(key: string, runId: string, wait: string): string;
  /** Subjects that say by which paths of which events waits are found. */
  readonly waitPaths: string;
  waitPath(eventName: string, path: string): string;
  /** Subject of a document of flow control. */
  gate(key: string): string;
  /** Subject of the runs of a queue. */
  queue(name: string): string;
  /** Subject on which a host is asked. */
  host(name: string): string;
  /** Subject on which a host is told of completions of its HTTP steps. */
  completions(host: string): string;
  /** Subject on which a host tells what happens on it. */
  live(host: string): string;
  /** The same of all hosts. */
  readonly liveOfAll: string;
  /** Subject on which hosts ask the others to tell what happens on them. */
  readonly liveWanted: string;
}

interface StreamNames {
  readonly stream: string;
  readonly subjects: string[];
}

/** The runtime in the subject of a wake that any host may take. */
export const anyRuntime = "any";

/** A dot that would begin, end or split off an empty token, which a subject can't have. */
const emptyToken = /^\.|(?<=\.)\.|\.$/g;

/** The token of a name that may hold dots and signs that subjects can't. */
export function token(name: string): string {
  return Buffer.from(name).toString("base64url");
}

/** The name of a token. */
export function untoken(text: string): string {
  return Buffer.from(text, "base64url").toString();
}

export function createNames(prefix: string): Names {
  const stream = (name: string, ...subjects: string[]): StreamNames => ({
    stream: `${prefix}-${name}`,
    subjects: subjects.map((subject) => `${prefix}.${subject}`),
  });
  const eventsFrom = `${prefix}.events.`.length;
  const event = (name: string): string =>
    `${prefix}.events.${name.replaceAll("%", "%25").replaceAll(emptyToken, "%2E")}`;
  return {
    prefix,
    events: stream("events", "events.>"),
    runs: stream("runs", "runs.*.*"),
    wakes: stream("wakes", "timers.*.*", "wakes.*.*"),
    deadLetters: stream("dead-letters", "dead-letters.>"),
    waits: stream("waits", "waits.*.*.*", "wait-paths.*.*"),
    gates: stream("gates", "gates.*"),
    queues: stream("queues", "queues.*"),
    catalog: `${prefix}-catalog`,
    artifacts: `${prefix}-artifacts`,
    keyValues: `${prefix}-kv`,
    event,
    eventName(subject) {
      const name = subject.slice(eventsFrom).replaceAll("%2E", ".").replaceAll("%25", "%");
      return isEventName(name) && event(name) === subject ? name : undefined;
    },
    deadLetter: (subject) => `${prefix}.dead-letters.${subject.slice(eventsFrom)}`,
    run: (functionDigest, runId) => `${prefix}.runs.${functionDigest}.${runId}`,
    timer: (runId, at) => `${prefix}.timers.${runId}.${at}`,
    wake: (runtime, runId) => `${prefix}.wakes.${runtime}.${runId}`,
    wait: (key, runId, wait) => `${prefix}.waits.${key}.${runId}.${wait}`,
    waitPaths: `${prefix}.wait-paths.*.*`,
    waitPath: (eventName, path) => `${prefix}.wait-paths.${token(eventName)}.${token(path)}`,
    gate: (key) => `${prefix}.gates.${key}`,
    queue: (name) => `${prefix}.queues.${name}`,
    host: (name) => `${prefix}.hosts.${token(name)}`,
    completions: (host) => `${prefix}.completions.${token(host)}`,
    live: (host) => `${prefix}.live.${token(host)}`,
    liveOfAll: `${prefix}.live.*`,
    liveWanted: `${prefix}.live-wanted`,
  };
}
