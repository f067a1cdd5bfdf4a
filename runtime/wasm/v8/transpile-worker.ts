import { parentPort } from "node:worker_threads";
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import type { TranspileAnswer, TranspileRequest } from "./transpiler.ts";

const port = parentPort;
if (port === null) throw new Error("runtime/wasm/v8/transpile-worker is the entry of a worker thread");

await $init;

port.on("message", ({ bytes }: TranspileRequest) => {
  port.postMessage(transpile(bytes));
});

function transpile(bytes: Uint8Array): TranspileAnswer {
  try {
    const { files } = generate(bytes, {
      name: "c",
      instantiation: { tag: "sync" },
      noTypescript: true,
      noNodejsCompat: true,
      noComponentErrorWrapping: true,
      base64Cutoff: 0,
    });
    const script = files.find(([name]) => name.endsWith(".js"));
    if (script === undefined) return { ok: false, message: "no script was generated" };
    const modules = files
      .filter(([name]) => name.endsWith(".wasm"))
      .map(([name, code]) => ({ name, bytes: code }));
    return { ok: true, glue: asFunctionBody(Buffer.from(script[1]).toString("utf8")), modules };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Turns the generated module into the body of a function that returns its `instantiate`. */
function asFunctionBody(script: string): string {
  const body = script.replace(/^export (?=function|const)/gm, "");
  return `"use strict";\n${body}\nreturn instantiate;\n`;
}
