import { parentPort } from "node:worker_threads";
import type { RuntimeErrorCode } from "../../errors.ts";
import { MalformedBinary } from "../binary.ts";
import { boundModule } from "./bounds.ts";
import { decodeComponent } from "./component/decode.ts";
import { ExportMismatch, linkStep } from "./program.ts";
import type { TranslateAnswer, TranslateRequest } from "./translator.ts";
import { ImportMismatch } from "./wasi/wasi.ts";

const port = parentPort;
if (port === null) throw new Error("runtime/wasm/v8/translate-worker is the entry of a worker thread");

port.on("message", (request: TranslateRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.postMessage(translate(request));
});

function translate({ kind, mode, bytes }: TranslateRequest): TranslateAnswer {
  try {
    if (kind === "command") return { ok: true, component: "", modules: [boundModule(bytes)] };
    const { component, modules } = decodeComponent(bytes);
    // What does not fit together is found here, not by the first attempt.
    linkStep(component, mode);
    return { ok: true, component: JSON.stringify(component), modules: modules.map(boundModule) };
  } catch (error) {
    return { ok: false, ...refusal(error) };
  }
}

function refusal(error: unknown): { readonly code: RuntimeErrorCode; readonly message: string } {
  if (error instanceof MalformedBinary)
    return { code: "ERR_COMPONENT_INVALID", message: `The component can't be run: ${error.message}.` };
  if (error instanceof ImportMismatch)
    return { code: "ERR_COMPONENT_IMPORT", message: `The component imports ${error.message}.` };
  if (error instanceof ExportMismatch)
    return {
      code: "ERR_COMPONENT_EXPORT",
      message: `The component's export does not fit: ${error.message}.`,
    };
  if (error instanceof RangeError)
    return {
      code: "ERR_COMPONENT_INVALID",
      message: `The component can't be run: it is too intricate (${error.message}).`,
    };
  throw error;
}
