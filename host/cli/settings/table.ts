import { defaultPort } from "../host-client.ts";
import type { Setting } from "./setting.ts";

/** How a store is reached: the settings of every command that opens one. */
export const storeSettings = [
  {
    name: "broker",
    kind: "text",
    argument: "<url>",
    description: "the store: nats://<server>[,nats://<server>…], sqlite:<file> or memory:",
    default: "sqlite:.millrace/host.db",
  },
  {
    name: "prefix",
    kind: "text",
    argument: "<name>",
    description: "begins all names on NATS: an installation",
  },
  { name: "nats-creds", kind: "text", argument: "<file>", description: "a user's JWT and seed" },
  { name: "nats-nkey", kind: "text", argument: "<file>", description: "a user's nkey seed" },
  { name: "nats-user", kind: "text", argument: "<name>", description: "a user's name" },
  {
    name: "nats-password",
    kind: "text",
    argument: "<password>",
    description: "that user's password",
    secret: true,
  },
  { name: "nats-token", kind: "text", argument: "<token>", description: "a token", secret: true },
  {
    name: "nats-ca",
    kind: "text",
    argument: "<file>",
    description: "PEM: who signed the server's certificate",
  },
  { name: "nats-cert", kind: "text", argument: "<file>", description: "PEM: this client's certificate" },
  { name: "nats-key", kind: "text", argument: "<file>", description: "PEM: its key" },
] as const satisfies readonly Setting[];

/** The settings of `millrace start`. */
export const hostSettings = [
  ...storeSettings,
  {
    name: "replicas",
    kind: "count",
    argument: "<n>",
    description: "copies of each stream on NATS",
    choices: ["1", "3", "5"],
  },
  {
    name: "lease",
    kind: "duration",
    argument: "<time>",
    description: "how long a host may be silent before others take its runs (NATS; 30s unless given)",
  },
  {
    name: "keep-events",
    kind: "duration",
    argument: "<time>",
    description: "how long events are kept (NATS; 7d unless given)",
  },
  {
    name: "keep-runs",
    kind: "duration",
    argument: "<time>",
    description: "how long finished runs are kept (NATS; for good unless given)",
  },
  {
    name: "max-event-bytes",
    kind: "size",
    argument: "<size>",
    description: "most bytes of stored events; one over it is refused (NATS)",
  },
  { name: "name", kind: "text", argument: "<name>", description: "this host's, unique on its store" },
  {
    name: "host",
    kind: "text",
    argument: "<address>",
    description: "the address to listen on",
    default: "127.0.0.1",
  },
  {
    name: "port",
    kind: "port",
    argument: "<port>",
    description: "the port; 0 takes any free one",
    default: defaultPort,
  },
  {
    name: "tls-cert",
    kind: "text",
    argument: "<file>",
    description: "PEM: serve HTTPS with this certificate",
  },
  { name: "tls-key", kind: "text", argument: "<file>", description: "PEM: its key" },
  {
    name: "key",
    kind: "list",
    argument: "<keys>",
    description: "the event keys that are taken, with commas between them",
    secret: true,
  },
  {
    name: "api-key",
    kind: "list",
    argument: "<keys>",
    description: "the keys of the API that reads and deploys",
    secret: true,
  },
  {
    name: "runtimes",
    kind: "list",
    argument: "<names>",
    description: "run steps of these runtimes alone",
    choices: ["wasm", "docker", "lambda", "http"],
  },
  {
    name: "engine",
    kind: "text",
    argument: "<name>",
    description: "what executes Wasm steps",
    choices: ["auto", "wasmtime", "v8"],
    default: "auto",
  },
  {
    name: "fuel",
    kind: "count",
    argument: "<n>",
    description: "count what Wasm steps compute, on wasmtime alone, and end an attempt that uses more",
  },
  {
    name: "parallelism",
    kind: "count",
    argument: "<n>",
    description: "attempts that run at once (the number of cores unless given)",
  },
  {
    name: "max-runs",
    kind: "count",
    argument: "<n>",
    description: "runs held in memory at once",
    default: 1_000,
  },
  {
    name: "grace",
    kind: "duration",
    argument: "<time>",
    description: "how long what is under way may go on after SIGTERM",
    default: "30s",
  },
  {
    name: "policy",
    kind: "text",
    argument: "<file>",
    description: "JSON: what steps may ask for at most",
  },
  {
    name: "secrets",
    kind: "text",
    argument: "<file>",
    description: "JSON: the values of secrets by name; MILLRACE_SECRET_<NAME> goes before it",
  },
  {
    name: "callback-url",
    kind: "text",
    argument: "<url>",
    description: "where receivers of HTTP steps reach this host, to complete what they accepted",
  },
  {
    name: "cache",
    kind: "text",
    argument: "<folder>",
    description: "for what is compiled once and kept by digest",
    default: ".millrace/cache",
  },
] as const satisfies readonly Setting[];

/** The name of a setting. */
export type SettingName = (typeof hostSettings)[number]["name"];
