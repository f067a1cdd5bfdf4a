import { builtinModules } from "node:module";

const builtins = new Set(builtinModules.filter((name) => !name.startsWith("_")));

/** The name of a Node.js module without `node:`; undefined when the import is none. */
export function nodeModule(specifier: string): string | undefined {
  if (specifier.startsWith("node:")) return specifier.slice("node:".length);
  const [name = ""] = specifier.split("/");
  return builtins.has(specifier) || builtins.has(name) ? specifier : undefined;
}

const noNetwork =
  "A step has no sockets; fetch is a global, with the capability `http`. Or run it on the runtime docker.";
const noFiles =
  "A step has files in /tmp alone, with the capability `tmp`. What it needs besides, pass it in the event, or import a JSON or text file: the builder bundles it.";
const noProcesses = "A step starts no processes. Run it on the runtime docker.";

const advice: Readonly<Record<string, string>> = {
  assert: "Throw an error instead, or install the npm package assert.",
  buffer: "Use Uint8Array, TextEncoder, TextDecoder, atob and btoa, or install the npm package buffer.",
  child_process: noProcesses,
  cluster: noProcesses,
  crypto:
    "crypto.randomUUID and crypto.getRandomValues are globals; for digests install an npm package such as @noble/hashes.",
  dgram: noNetwork,
  dns: noNetwork,
  events: "Use EventTarget, or install the npm package events.",
  fs: noFiles,
  "fs/promises": noFiles,
  http: noNetwork,
  http2: noNetwork,
  https: noNetwork,
  net: noNetwork,
  os: "A step sees nothing of the machine it runs on.",
  path: "Install the npm package path-browserify, or join with template strings.",
  perf_hooks: "performance.now is a global.",
  querystring: "URLSearchParams is a global.",
  stream: "Use async generators, or install the npm package readable-stream.",
  string_decoder: "TextDecoder is a global.",
  timers: "setTimeout and its like are globals.",
  "timers/promises": "Write await new Promise((done) => setTimeout(done, ms)).",
  tls: noNetwork,
  url: "URL and URLSearchParams are globals.",
  util: "structuredClone, TextEncoder and TextDecoder are globals; console formats objects.",
  worker_threads: noProcesses,
  zlib: "Install an npm package such as fflate.",
};

/** What to do instead of importing a Node.js module. */
export function adviceFor(module: string): string {
  const own = Object.hasOwn(advice, module) ? advice[module] : undefined;
  return (
    own ??
    "Use what the language has, or an npm package that needs no Node.js; or run the step on the runtime docker."
  );
}

/** What a program finds in the stand-in for a Node.js module, in words. */
export const standInAdvice: Readonly<Record<string, string>> = {
  fs: "Without the capability `tmp`, of node:fs a program has readFileSync(0) for stdin, writeSync(1, …) and writeFileSync(1, …) for stdout.",
  process: "A step's process has argv, env, exit, stdin, stdout, stderr and nextTick.",
};

/** The same of a step that has /tmp. */
export const filesAdvice =
  "Of node:fs a step has the functions for files and folders with their Sync, promise and callback forms, and no streams or watchers.";
