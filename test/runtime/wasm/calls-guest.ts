import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { componentize } from "componentize-qjs";
import { packages } from "./components.ts";

const world = `
  package test:calls;
  world calls {
    include millrace:step/step@0.1.0;
    import wasi:cli/environment@0.2.9;
    import wasi:io/error@0.2.9;
    import wasi:io/poll@0.2.9;
    import wasi:io/streams@0.2.9;
    import wasi:clocks/monotonic-clock@0.2.9;
    import wasi:http/types@0.2.9;
    import wasi:http/outgoing-handler@0.2.9;
    import wasi:keyvalue/store@0.2.0-draft2;
    import wasi:keyvalue/atomics@0.2.0-draft2;
    import wasi:keyvalue/batch@0.2.0-draft2;
    import wasi:config/store@0.2.0-draft;
  }`;

/** What its code sees: the modules, \`env\`, and \`attempt(f)\`: what f returns as {ok}, or what it throws as {error}. */
const jsSource = `
  import * as log from "millrace:step/log@0.1.0";
  import * as environment from "wasi:cli/environment@0.2.9";
  import * as poll from "wasi:io/poll@0.2.9";
  import * as clock from "wasi:clocks/monotonic-clock@0.2.9";
  import * as http from "wasi:http/types@0.2.9";
  import * as outgoing from "wasi:http/outgoing-handler@0.2.9";
  import * as store from "wasi:keyvalue/store@0.2.0-draft2";
  import * as atomics from "wasi:keyvalue/atomics@0.2.0-draft2";
  import * as batch from "wasi:keyvalue/batch@0.2.0-draft2";
  import * as config from "wasi:config/store@0.2.0-draft";

  const bytes = (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0));
  const text = (bytes) => decodeURIComponent(escape(String.fromCharCode(...bytes)));
  const attempt = (action) => {
    try { return { ok: action() ?? null }; } catch (error) {
      if (!String(error.message).endsWith("(see error.payload)")) throw error;
      return { error: error.payload ?? null };
    }
  };
  const seen = (_, value) =>
    typeof value === "bigint" ? Number(value) : value instanceof Uint8Array ? { bytes: text(value) } : value;
  const scope = { print: log.log, poll, clock, http, outgoing, store, atomics, batch, config, bytes, text, attempt };
  export const handler = {
    run({ event }) {
      try {
        const env = Object.fromEntries(environment.getEnvironment());
        const all = { ...scope, env };
        const data = JSON.parse(event.data);
        const result = new Function(...Object.keys(all), data.code ?? data)(...Object.values(all));
        return JSON.stringify(result ?? null, seen);
      } catch (error) {
        throw { tag: "fatal", val: error instanceof Error ? error.name + ": " + error.message : JSON.stringify(error) };
      }
    },
  };`;

let made: Promise<Uint8Array> | undefined;

/** A step of JavaScript with every import that asks the host: it runs the code that is the event's data, or `code` of it. */
export function callsGuest(): Promise<Uint8Array> {
  return (made ??= make());
}

async function make(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-calls-"));
  try {
    const witPath = join(folder, "calls.wit");
    writeFileSync(witPath, disguised(`${world}\n${packages()}`));
    const options = { witPath, world: "calls", jsSource: disguised(jsSource), sync: true };
    const { component } = await componentize(options);
    return undisguised(component);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// componentize-qjs 0.4.5 runs what it makes once, with a real wasi:io and stubs for wasi:http, whose resources are then not
// the same: it makes no component that imports wasi:http. Under another name, of the same length, all of it is stubs.
const disguised = (source: string): string => source.replaceAll("wasi:", "wosi:");
const undisguised = (component: Uint8Array): Uint8Array =>
  Buffer.from(Buffer.from(component).toString("latin1").replaceAll("wosi:", "wasi:"), "latin1");
