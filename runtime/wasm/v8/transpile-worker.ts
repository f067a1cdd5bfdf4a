import { parentPort } from "node:worker_threads";
import { MalformedBinary } from "../binary.ts";
import { watchGrowth } from "./bounds.ts";
import { hardenGlue } from "./glue.ts";
import type { TranspileAnswer, TranspileRequest, Transpiled } from "./transpiler.ts";

const port = parentPort;
if (port === null) throw new Error("runtime/wasm/v8/transpile-worker is the entry of a worker thread");

port.on("message", (request: TranspileRequest) => {
  void answer(request).then((message) => port.postMessage(message));
});

async function answer({ kind, bytes }: TranspileRequest): Promise<TranspileAnswer> {
  try {
    const { glue, modules } = kind === "command" ? command(bytes) : await component(bytes);
    return {
      ok: true,
      glue,
      modules: modules.map((module) => ({ name: module.name, bytes: watchGrowth(module.bytes) })),
    };
  } catch (error) {
    if (error instanceof MalformedBinary)
      return { ok: false, message: `one of its core modules is refused: ${error.message}` };
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function command(bytes: Uint8Array): Transpiled {
  return { glue: "", modules: [{ name: "command", bytes }] };
}

async function component(bytes: Uint8Array): Promise<Transpiled> {
  const { $init, generate } = await import("@bytecodealliance/jco-transpile/component");
  await $init;
  const { files } = generate(bytes, {
    name: "c",
    instantiation: { tag: "sync" },
    noTypescript: true,
    noNodejsCompat: true,
    noComponentErrorWrapping: true,
    base64Cutoff: 0,
  });
  const script = files.find(([name]) => name.endsWith(".js"));
  if (script === undefined) throw new Error("no script was generated");
  return {
    glue: hardenGlue(Buffer.from(script[1]).toString("utf8")),
    modules: files.filter(([name]) => name.endsWith(".wasm")).map(([name, code]) => ({ name, bytes: code })),
  };
}
